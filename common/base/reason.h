/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * reason.h - reasons as text: the table of common/core/reason.h, for a tool
 */
#pragma once

#include <linux/types.h>

struct reason_row {
	const char *name;   /* "sent" */
	const char *action; /* "XDP_TX" */
	const char *text;   /* what it means, a part of a sentence */
	int programs;	    /* IN_LBR, IN_BKD */
};

/* NULL: there is no such reason. */
const struct reason_row *reason_row(__u32 reason);
/* "unknown" where there is no such reason. */
const char *reason_name(__u32 reason);
const char *reason_text(__u32 reason);
/* -1: there is none of this name. */
int reason_find(const char *name);
