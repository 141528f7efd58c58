/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * passage.h - the way of health checks: a detour, and xdp_lbr_check at its far
 * end
 */
#pragma once

#include "common/core/check.h"
#include "common/core/reason.h"
#include "common/tool/kernel.h"

struct passage {
	struct kernel kernel; /* this run's own object; holds no lock */
	int link, checks;     /* fds */
	__u32 id;	      /* of a pinned map that it goes by */
};

/* Returns 0, or -1 with a fault; KERNEL_NOT_UP. */
int passage_open(struct passage *passage, const struct role *role,
		 struct fault *fault);
void passage_close(struct passage *passage);
/* Has what it goes by been replaced, or gone? */
bool passage_is_stale(const struct passage *passage);

/*
 * A socket's packets to `vip` are for backend `id` from here on: it is marked,
 * and bound to an address that `backend` can answer. `*key` finds it again.
 * Returns 0, or -1 with errno.
 */
int passage_bind(struct passage *passage, int fd, __u8 protocol,
		 const struct addr *vip, const struct addr *backend, __u32 id,
		 struct check_key *key);
/* What became of its last packet; REASON_NONE: none has been seen. */
enum reason passage_reason(const struct passage *passage,
			   const struct check_key *key);
