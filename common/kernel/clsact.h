/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * clsact.h - a program where the kernel takes packets from an interface, behind
 * XDP, or sends them out of it
 */
#pragma once

#include "common/kernel/changes.h"

enum clsact {
	CLSACT_IN,
	CLSACT_OUT,
	/* Before those: programs that only look, for workers. */
	CLSACT_WORKERS_IN,
	CLSACT_WORKERS_OUT,
	/* lbr_waiting: takes what xdp_lbr leaves to it. */
	CLSACT_WAITING,
	CLSACTS,
};

/*
 * Attaches the program to the interface, or puts it in the place of ours that
 * is there, without losing a packet. It is noted as a change of the kind
 * clsact_kind(). Returns 0, or -1 with a fault.
 */
int clsact_attach(struct kernel *kernel, const char *name, enum clsact where,
		  int program, struct fault *fault);
/* The id of our program there; 0: there is none. */
__u32 clsact_attached(const char *name, enum clsact where);
const char *clsact_kind(enum clsact where);
/* For change.h. */
int clsact_undo(const struct change *change, struct fault *fault);
