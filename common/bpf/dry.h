/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dry.h - the same decisions, and no effects
 *
 * `lbr explain` is answered by the data path's own source, compiled a second
 * time with DRY_RUN (LoadBalancer/explain.bpf.c) and run over the maps of the
 * running program. So whatever outlasts the decision is done in EFFECT(): a
 * write into a map that the two share, a packet that is sent elsewhere or given
 * up for another. Not among these are maps of which the dry program has its own
 * (LoadBalancer/verbs/explain.c lists them), and changes of the packet, which
 * belongs to the caller.
 *
 * Only what the two programs consist of is asked elsewhere (#if DRY_RUN): the
 * dry one ends with a record of the decision, where the other counts and tells.
 */
#pragma once

#ifndef DRY_RUN
#define DRY_RUN 0
#endif

/* A statement that a dry run leaves out. */
#define EFFECT(...)                                                            \
	do {                                                                   \
		if (!DRY_RUN) {                                                \
			__VA_ARGS__;                                           \
		}                                                              \
	} while (0)
