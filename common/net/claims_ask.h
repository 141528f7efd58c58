/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * claims_ask.h - who answers for an address on a LAN
 */
#pragma once

#include "common/core/abi.h"

/* Who else answers for an address on an interface's LAN. */
struct claimed {
	struct addr address;
	int ifindex;
	__u8 own[6];   /* this host's MAC address there */
	__u8 other[6]; /* zeros: nobody */
};
/*
 * Asks for all at once and fills in `other` with what is answered within `wait`
 * milliseconds. Returns 0, or -1 with errno.
 */
int claims_ask(struct claimed *list, int count, int wait);
