/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dropper.h - what a dropper is told, and what it has counted: the one value of
 * the map `dropper`, which the tool fills in before it attaches the program
 */
#pragma once

#include <linux/bpf.h>

enum mode {
	MODE_PARITY,  /* an even sequence number is dropped */
	MODE_ONCE,    /* ... only the first time it comes */
	MODE_NTH,     /* each `every`th is dropped */
	MODE_RATE,    /* `percent` of all, at random */
	MODE_CORRUPT, /* each `every`th: one bit is flipped */
	MODE_MAX,
};

struct dropper {
	struct bpf_spin_lock lock; /* over the counts */
	__u32 mode;
	__u32 every;
	__u32 percent;
	__u16 port;	   /* destination, host byte order; 0: any */
	__u16 source_port; /* source port, host byte order; 0: any */
	__u8 protocol;	   /* IPPROTO_; 0: any IP packet */
	__u8 trace;	   /* a line in trace_pipe for each packet */
	__u8 made_qdisc;   /* the tool's: clsact goes with the program, unless
			      others have put a filter there since */
	__u8 pad[5];
	__u64 seen; /* packets that match the settings above */
	__u64 dropped;
	__u64 corrupted;
};

_Static_assert(sizeof(struct dropper) == 56, "no holes");
