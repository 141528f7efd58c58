/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * generation.h - a file as a generation of xdp_lbr; what loads and replaces it
 */
#pragma once

#include "common/core/abi_services.h"
#include "common/kernel/kernel.h"

/* build.c: the file as a generation, aside */
int lbr_build(struct kernel *kernel, const struct config *config, __u32 index,
	      struct generation *generation, struct fault *fault);
/* diff.c: what changes between two generations, a line each; see role.h */
int lbr_diff(struct kernel *kernel, __u32 before, __u32 after,
	     const struct config *config, FILE *out);
/* flow_table.c: the flow table's size, and its entries across a change of it */
int lbr_prepare(struct kernel *kernel, const struct config *config,
		struct fault *fault);
int lbr_carry_over(struct kernel *kernel, enum carry_stage stage,
		   struct fault *fault);
