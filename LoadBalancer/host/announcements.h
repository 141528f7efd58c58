/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * announcements.h - what is fit, and how it is announced: for those who read
 */
#pragma once

#include "LoadBalancer/generation/fitness.h"
#include "common/host/announce.h"

struct announcements {
	struct config config; /* the running one */
	struct fitnesses fitnesses;
	struct announced_vip *vips;
	int count;
	bool has_left; /* by `lbr leave` */
};

/* 0, or -1 with a fault; announcements_close() is due in both cases. */
int announcements_open(struct announcements *announcements,
		       const struct kernel *kernel,
		       const struct running *running, struct fault *fault);
void announcements_close(struct announcements *announcements);

/* NULL: not by the keys of the file. */
const struct announced_vip *
announcement_of(const struct announcements *announcements,
		const struct addr *vip);
/* "fit", "unfit", "withdrawn"; NULL: nothing is announced of it. */
const char *announcement_name(const struct announcements *announcements,
			      const struct addr *vip);
