/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * announcer.h - announce each VIP as well as it is fit
 *
 * What is announced is compared with what should be, and only the difference is
 * changed; when `lbr run` ends, nothing is.
 */
#pragma once

#include "LoadBalancer/health/hooks.h"

struct announcer {
	struct hooks hooks;
	/*
	 * Look at the host, too: this `lbr run` has just begun, another file
	 * runs, or somebody has removed a route.
	 */
	bool is_all;
};

/*
 * With the lock: `config` is what runs. Returns 0, or -1 with a fault; all that
 * could be announced is.
 */
int announcer_now(struct announcer *announcer, struct kernel *kernel,
		  const struct config *config, struct fault *fault);
