// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/generation/fitness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/address.h"

int fitnesses_open(struct fitnesses *fitnesses, const struct running *running,
		   const struct config *config)
{
	const struct running_service *service;
	size_t i;

	fitnesses->running = running;
	fitnesses->files =
		calloc(running->service_count + 1, sizeof(*fitnesses->files));
	if (!fitnesses->files)
		return -1;
	for (i = 0; i < config->service_count; i++) {
		service = running_service_for(running, &config->services[i]);
		if (service)
			fitnesses->files[service - running->services] =
				&config->services[i];
	}
	return 0;
}

void fitnesses_close(struct fitnesses *fitnesses)
{
	free(fitnesses->files);
	fitnesses->files = NULL;
}

static void why(const struct running_service *service,
		const struct config_service *file,
		const struct service_tally *tally, struct fitness *fitness)
{
	char unknown[48] = "";

	if (!file || service->service.removing) {
		strcpy(fitness->why, "not in the file");
	} else if (!tally->to_serve) {
		strcpy(fitness->why, "all backends drain");
	} else {
		if (fitness->up + tally->down < tally->to_serve)
			snprintf(unknown, sizeof(unknown),
				 "%zu not checked yet, ", tally->unknown);
		snprintf(fitness->why, sizeof(fitness->why),
			 "%zu of %zu up, %s%zu needed", fitness->up,
			 tally->to_serve, unknown,
			 service_needs(file, tally->to_serve));
	}
}

void service_fitness(const struct fitnesses *fitnesses,
		     const struct running_service *service,
		     struct fitness *fitness)
{
	const struct running *running = fitnesses->running;
	const struct config_service *file =
		fitnesses->files[service - running->services];
	struct service_tally tally = {0};
	size_t i, end;

	running_range(running, service->service.id, &i, &end);
	for (; i < end; i++)
		service_add(&tally, running->by_address[i]);
	*fitness = (struct fitness){
		.is_fit = file && !service->service.removing &&
			  service_is_fit(file, &tally),
		.up = file ? service_up(file, &tally)
			   : tally.to_serve - tally.down,
		.total = tally.to_serve,
	};
	if (!fitness->is_fit)
		why(service, file, &tally, fitness);
}

bool vip_is_fit(const struct fitnesses *fitnesses, size_t first, size_t *end)
{
	const struct running *running = fitnesses->running;
	const struct running_service *service = &running->services[first];
	bool all = true, some = false;
	struct fitness fitness;
	size_t i = first;

	for (; i < running->service_count; i++, service++) {
		if (!addr_equal(&service->key.vip,
				&running->services[first].key.vip))
			break;
		service_fitness(fitnesses, service, &fitness);
		if (service->service.removing || !fitnesses->files[i])
			continue;
		some = true;
		all = all && fitness.is_fit;
	}
	*end = i;
	return some && all;
}
