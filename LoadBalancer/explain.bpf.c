// SPDX-License-Identifier: GPL-2.0-only
/*
 * explain.bpf.c - xdp_lbr without its writes, for `lbr explain`: see
 * common/bpf/dry.h
 */
#define DRY_RUN 1
#include "LoadBalancer/xdp_lbr.bpf.c"
