/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fitness.h - which services and VIPs are fit: see common/config/announce.h
 *
 * The one place that says so: what is announced, `show`, /status, the metrics,
 * doctor and hooks all ask here.
 */
#pragma once

#include "LoadBalancer/generation/read.h"
#include "common/config/announce.h"

/* What runs, beside the file that it was built from. */
struct fitnesses {
	const struct running *running;
	/* Of each of running->services; NULL: it has left the file. */
	const struct config_service **files;
};

struct fitness {
	bool is_fit;
	size_t up, total; /* backends that are up; that are to serve */
	char why[160];	  /* not; "" if it is */
};

/* `config`: the running one. 0, or -1 without memory; close is always due. */
int fitnesses_open(struct fitnesses *fitnesses, const struct running *running,
		   const struct config *config);
void fitnesses_close(struct fitnesses *fitnesses);

/* A service that has left the file is not fit. */
void service_fitness(const struct fitnesses *fitnesses,
		     const struct running_service *service,
		     struct fitness *fitness);
/*
 * The VIP of running->services[first]; *end: the first service of the next one.
 * What has left the file matters only to a VIP that has no other service.
 */
bool vip_is_fit(const struct fitnesses *fitnesses, size_t first, size_t *end);
