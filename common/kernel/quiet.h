/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * quiet.h - when have all packets gone their way that are under way now?
 *
 * The kernel says so after an RCU grace period, which takes about 10 ms.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "common/core/abi_services.h"

/* Waits. */
void quiet_await(void);

/*
 * For an event loop, which must not wait: a thread that does. Zeroed at first;
 * quiet_stop() is due.
 */
struct quiet {
	pthread_t thread;
	bool is_asked; /* it has begun */
	bool is_over;  /* it says */
	/* The generation that ran when it was asked. */
	__u64 number, switched;
};

/*
 * Have all gone that were under way when this was first called for the
 * generation that runs? Until then, call it again. Waits if there can be no
 * thread.
 */
bool quiet_since(struct quiet *quiet, const struct generation *running);
void quiet_stop(struct quiet *quiet);
