/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * xdp_features.h - what drivers can do for XDP, as they report it (Linux 6.3)
 */
#pragma once

#include <stdbool.h>

struct xdp_features {
	int ifindex;
	bool xmit; /* it takes frames that another driver redirects to it */
};

/*
 * For all devices, by generic netlink (family "netdev"). *list is to be freed.
 * Returns their number; 0 if the kernel does not say.
 */
int xdp_features_read(struct xdp_features **list);
