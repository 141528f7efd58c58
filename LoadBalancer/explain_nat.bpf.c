// SPDX-License-Identifier: GPL-2.0-only
/*
 * explain_nat.bpf.c - lbr_nat without its writes, for `lbr explain`: see
 * common/bpf/dry.h
 */
#define DRY_RUN 1
#include "LoadBalancer/datapath/nat.bpf.c"
