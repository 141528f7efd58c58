/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * condition.h - a backend's or service's report: its state, since when, why
 *
 * As it is in the kernel, whoever found it: what `show`, the page, /status, the
 * metrics and `doctor` say. The words are those of common/config/state.h.
 */
#pragma once

#include "LoadBalancer/generation/read.h"
#include "common/core/abi_services.h"

struct conditions {
	const struct running *running;
	int verdicts;  /* fd of the map; -1: the reasons cannot be read */
	bool is_stale; /* no checks are made any more: findings are old */
};

#define CONDITION_WHY (VERDICT_TEXT + 80)

struct condition {
	__u8 status; /* enum backend_status, or enum service_status */
	const char *state;
	__u64 since;		 /* see struct backend_rows */
	char why[CONDITION_WHY]; /* "": it needs no reason */
};

/* For what `running` has; conditions_close() is due. */
void conditions_open(struct conditions *conditions, const struct kernel *kernel,
		     const struct running *running);
void conditions_close(struct conditions *conditions);

void backend_condition(const struct conditions *conditions,
		       const struct backend *backend,
		       struct condition *condition);
void service_condition(const struct conditions *conditions,
		       const struct running_service *service,
		       struct condition *condition);
/* What the last checks have found: "up", "path down", ...; NULL: nothing. */
const char *finding_name(__u8 finding);
/* Which flows it gets: "new", "its own", "none". */
const char *flows_name(const struct backend *backend);
