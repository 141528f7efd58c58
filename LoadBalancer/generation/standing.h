/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * standing.h - a backend's or service's report: its state, since when, why
 *
 * As it is in the kernel, whoever found it: what `show`, the page, /status, the
 * metrics and `doctor` say. The words are those of common/config/state.h.
 */
#pragma once

#include "LoadBalancer/generation/read.h"
#include "common/core/abi_services.h"

struct standings {
	const struct running *running;
	int verdicts;  /* fd of the map; -1: the reasons cannot be read */
	bool is_stale; /* no checks are made any more: findings are old */
};

#define STANDING_WHY (VERDICT_TEXT + 80)

struct standing {
	__u8 status; /* enum backend_status, or enum service_status */
	const char *state;
	__u64 since;		/* seconds of Unix time */
	char why[STANDING_WHY]; /* "": it needs no reason */
};

/* For what `running` has; standings_close() is due. */
void standings_open(struct standings *standings, const struct kernel *kernel,
		    const struct running *running);
void standings_close(struct standings *standings);

void backend_stands(const struct standings *standings,
		    const struct backend *backend, struct standing *standing);
void service_stands(const struct standings *standings,
		    const struct running_service *service,
		    struct standing *standing);
/* What the last checks have found: "up", "path down", ...; NULL: nothing. */
const char *finding_name(__u8 finding);
/* Which flows it gets: "new", "its own", "none". */
const char *flows_name(const struct backend *backend);
