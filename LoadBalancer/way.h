/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * way.h - the way of health checks: a detour, and xdp_lbr_check at its far end
 */
#pragma once

#include "common/core/check.h"
#include "common/core/reason.h"
#include "common/tool/kernel.h"

struct way {
	struct kernel kernel; /* this run's own object; holds no lock */
	int link, checks;     /* fds */
	__u32 id;	      /* of a pinned map that it goes by */
};

/* Returns 0, or -1 with a fault; KERNEL_NOT_UP. */
int way_open(struct way *way, const struct role *role, struct fault *fault);
void way_close(struct way *way);
/* Has what it goes by been replaced, or gone? */
bool way_is_stale(const struct way *way);

/*
 * A socket's packets are for backend `id` from here on: it is marked, and bound
 * to the address by which this host reaches `backend`. `*key` finds it again.
 * Returns 0, or -1 with errno.
 */
int way_bind(struct way *way, int fd, __u8 protocol, const struct addr *backend,
	     __u32 id, struct check_key *key);
/* What became of its last packet; REASON_NONE: none has been seen. */
enum reason way_reason(const struct way *way, const struct check_key *key);
