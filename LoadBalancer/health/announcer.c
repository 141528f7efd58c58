// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/health/announcer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "LoadBalancer/generation/condition.h"
#include "common/host/announce.h"
#include "common/host/change.h"

struct announcing {
	struct announcer *announcer;
	struct kernel *kernel;
	const struct config_announce *keys;
	const struct running *running;
	struct fitnesses fitnesses;
	struct conditions conditions;
	struct announced_vip *vips; /* as they are noted */
	int count;
	bool *kept; /* of each of `vips`: it is still to be announced */
	__u64 now;  /* jiffies */
	enum announced least;
	struct fault *fault;
	int rc;
};

/* Also false once the time of a service that has left the file is over. */
static bool is_there(const struct announcing *announcing,
		     const struct running_service *service)
{
	__u64 until = running_until(announcing->running, service);

	return !until || until > announcing->now;
}

static void vip_announce(struct announcing *announcing, const struct addr *vip,
			 enum announced wanted)
{
	const struct config_announce *keys = announcing->keys;
	const struct announced_vip *old;
	char what[ANNOUNCED_WHAT];

	announced_what(keys, vip, what);
	old = announced_find(announcing->vips, announcing->count, what);
	if (old)
		announcing->kept[old - announcing->vips] = true;
	if (wanted < announcing->least)
		announcing->least = wanted;
	if (old && old->announced == wanted && !announcing->announcer->is_all)
		return;
	announcing->rc |= announce_vip(announcing->kernel, keys, vip, wanted,
				       old, announcing->fault);
	if (*keys->track_files)
		announcing->rc |= track_write(keys->track_files, vip, wanted,
					      announcing->fault);
}

static void vips_announce(struct announcing *announcing)
{
	const struct running *running = announcing->running;
	size_t first, end, i;
	bool is_fit, some;

	for (first = 0; first < running->service_count; first = end) {
		is_fit = vip_is_fit(&announcing->fitnesses, first, &end);
		some = false;
		for (i = first; i < end; i++)
			some |= is_there(announcing, &running->services[i]);
		if (some)
			vip_announce(announcing,
				     &running->services[first].key.vip,
				     is_fit ? ANNOUNCED_FIT : ANNOUNCED_UNFIT);
	}
	if (!*announcing->keys->track_files)
		return;
	announcing->rc |=
		track_note(announcing->kernel, announcing->keys->track_files,
			   announcing->fault);
	announcing->rc |= track_write(announcing->keys->track_files, NULL,
				      announcing->least, announcing->fault);
}

static bool vip_is_kept(const char *what, const void *data)
{
	const struct announcing *announcing = data;
	const struct announced_vip *vip =
		announced_find(announcing->vips, announcing->count, what);

	return !vip || announcing->kept[vip - announcing->vips];
}

static bool directory_is_kept(const char *what, const void *data)
{
	const struct announcing *announcing = data;

	return !strcmp(what, announcing->keys->track_files);
}

/* What the file announces no more, or otherwise: after its successor is there.
 */
static void others_withdraw(struct announcing *announcing)
{
	const char *directory = announcing->keys->track_files;
	int i;

	for (i = 0; *directory && i < announcing->count; i++) {
		if (!announcing->kept[i] && !announcing->rc)
			announcing->rc |=
				track_write(directory, &announcing->vips[i].vip,
					    ANNOUNCED_NOT, announcing->fault);
	}
	changes_keep(announcing->kernel, "announce", vip_is_kept, announcing);
	changes_keep(announcing->kernel, "track", directory_is_kept,
		     announcing);
}

static void call_fill(const struct announcing *announcing,
		      const struct running_service *service,
		      struct hook_call *call)
{
	struct condition condition;
	struct fitness fitness;

	service_fitness(&announcing->fitnesses, service, &fitness);
	service_condition(&announcing->conditions, service, &condition);
	hook_service(&service->key, call->service);
	call->state = fitness.is_fit ? ANNOUNCED_FIT : ANNOUNCED_UNFIT;
	call->up = fitness.up;
	call->total = fitness.total;
	if (!fitness.is_fit)
		snprintf(call->why, sizeof(call->why), "%s%s%.*s", fitness.why,
			 *condition.why ? "; " : "",
			 (int)(sizeof(call->why) - sizeof(fitness.why) - 3),
			 condition.why);
}

/* The file's services. */
static void services_tell(struct announcing *announcing)
{
	const struct running *running = announcing->running;
	struct hooked *services =
		calloc(running->service_count + 1, sizeof(*services));
	size_t i, count = 0;

	for (i = 0;
	     services && *announcing->keys->hook && i < running->service_count;
	     i++) {
		if (!announcing->fitnesses.files[i])
			continue;
		services[count].key = running->services[i].key;
		call_fill(announcing, &running->services[i],
			  &services[count++].wanted);
	}
	if (services)
		hooks_follow(&announcing->announcer->hooks,
			     announcing->keys->hook, services, count);
}

static int announce_all(struct announcing *announcing,
			const struct config *config)
{
	struct kernel *kernel = announcing->kernel;
	int rc = -1;

	announcing->count =
		announced_read(kernel, &announcing->vips, announcing->fault);
	if (announcing->count < 0 || jiffies_now(kernel, &announcing->now))
		return -1;
	announcing->kept = calloc((size_t)announcing->count + 1, sizeof(bool));
	if (fitnesses_open(&announcing->fitnesses, announcing->running,
			   config) ||
	    !announcing->kept) {
		fault(announcing->fault, "cannot announce VIPs: no memory");
	} else {
		/* What was withdrawn by hand stays so until `lbr up`. */
		if (!announcing->count)
			hooks_follow(&announcing->announcer->hooks, "", NULL,
				     0);
		if (announces(config) && !announce_has_left(kernel)) {
			vips_announce(announcing);
			services_tell(announcing);
		}
		others_withdraw(announcing);
		rc = announcing->rc;
	}
	fitnesses_close(&announcing->fitnesses);
	free(announcing->kept);
	return rc;
}

int announcer_now(struct announcer *announcer, struct kernel *kernel,
		  const struct config *config, struct fault *fault_out)
{
	struct running running;
	struct announcing announcing = {
		.announcer = announcer,
		.kernel = kernel,
		.keys = &config->announce,
		.running = &running,
		.least = ANNOUNCED_FIT,
		.fault = fault_out,
	};
	int rc;

	/* What was announced by a file before is withdrawn once. */
	if (!announces(config) && !announcer->is_all)
		return 0;
	if (running_read(kernel, generation_current(kernel), &running,
			 fault_out))
		return -1;
	conditions_open(&announcing.conditions, kernel, &running);
	rc = announce_all(&announcing, config);
	conditions_close(&announcing.conditions);
	free(announcing.vips);
	running_free(&running);
	if (!rc)
		announcer->is_all = false;
	return rc ? -1 : 0;
}
