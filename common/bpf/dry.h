/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dry.h - the same decisions, and nothing written
 *
 * What `lbr explain` asks is answered by the data path's own source, compiled
 * a second time with DRY_RUN (LoadBalancer/explain.bpf.c) and run over the
 * maps of the one that runs. There, whatever would be written into a map that
 * it shares is left out; what the packet is turned into is not, for it is the
 * asker's own.
 */
#pragma once

#ifndef DRY_RUN
#define DRY_RUN 0
#endif
