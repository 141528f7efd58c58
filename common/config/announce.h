/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * announce.h - how well a VIP is announced: by whether its services are fit
 *
 * A service is fit while enough of its backends are up (`minimum-up`), a VIP
 * while all its services are. One that is not is announced worse and never
 * withdrawn: where no load balancer is fit, the VIP stays reachable, and
 * `on-all-down` decides.
 */
#pragma once

#include "common/config/config.h"
#include "common/config/state.h"

struct refusal;

/* What others are told of a VIP, from bad to good. */
enum announced {
	ANNOUNCED_NOT,	 /* withdrawn by a verb, or nothing was said yet */
	ANNOUNCED_UNFIT, /* worse */
	ANNOUNCED_FIT,
};
/* "fit", "unfit", "withdrawn". */
const char *announced_name(enum announced announced);

/* How many of the service's backends have to be up, of so many; at least 1. */
size_t service_needs(const struct config_service *service, size_t to_serve);
/*
 * How many are up. Of a service with checks, one about which none has spoken
 * yet is not: a load balancer that has just started does not know whether it
 * reaches it.
 */
size_t service_up(const struct config_service *service,
		  const struct service_tally *tally);
bool service_is_fit(const struct config_service *service,
		    const struct service_tally *tally);

/* Does the file have the key `announce`? */
static inline bool announces(const struct config *config)
{
	return config->announce.line;
}

/* What keepalived's track_file is told. */
int announced_priority(enum announced announced);

/* 0, or -1 with the refusal written: `announce`, and each `minimum-up`. */
int announce_check(const struct config *config, const struct refusal *refusal);
