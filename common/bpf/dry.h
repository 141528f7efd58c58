/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dry.h - the same decisions, and nothing written
 *
 * `lbr explain` is answered by the data path's own source, compiled a second
 * time with DRY_RUN (LoadBalancer/explain.bpf.c) and run over the maps of the
 * running program. It writes into no map that it shares; it does change the
 * packet, which belongs to the caller.
 */
#pragma once

#ifndef DRY_RUN
#define DRY_RUN 0
#endif
