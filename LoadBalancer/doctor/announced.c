// SPDX-License-Identifier: GPL-2.0-only
/*
 * announced.c - is each VIP announced, how well, by what, and who has it?
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "LoadBalancer/doctor/bird.h"
#include "LoadBalancer/doctor/doctor.h"
#include "LoadBalancer/generation/condition.h"
#include "LoadBalancer/host/announcements.h"
#include "common/base/address.h"
#include "common/core/address.h"
#include "common/host/announce_routes.h"

struct looking {
	struct doctor *doctor;
	struct announcements announcements;
	const struct config_announce *keys;
	struct announce_route *routes; /* of the table */
	size_t count;
	struct bird bird;
};

static int route_keep(const struct announce_route *route, __u8 bits, void *data)
{
	struct looking *looking = data;
	struct announce_route *grown =
		realloc(looking->routes, (looking->count + 1) * sizeof(*grown));

	(void)bits;
	if (!grown)
		return 1;
	looking->routes = grown;
	grown[looking->count++] = *route;
	return 0;
}

static bool has_route(const struct looking *looking, const struct addr *vip,
		      __u32 metric)
{
	size_t i;

	for (i = 0; i < looking->count; i++) {
		if (addr_equal(&looking->routes[i].vip, vip) &&
		    looking->routes[i].metric == metric &&
		    looking->routes[i].protocol == looking->keys->protocol)
			return true;
	}
	return false;
}

/* What is noted is not what is there: somebody has removed it. */
static bool is_missing(struct looking *looking, const struct addr *vip,
		       const struct announced_vip *of, const char *text)
{
	const struct config_announce *keys = looking->keys;
	struct doctor *doctor = looking->doctor;
	int is, should = announced_priority(of->announced);

	if (keys->table && !has_route(looking, vip, of->metric)) {
		report(doctor, HEALTH_FAIL,
		       "%s: its route of metric %u in table %u was removed",
		       text, of->metric, keys->table);
		mend(doctor,
		     "ip -%c route add blackhole %s table %u proto %u metric "
		     "%u",
		     addr_is_v4(vip) ? '4' : '6', text, keys->table,
		     keys->protocol, of->metric);
		return true;
	}
	if (!*keys->track_files ||
	    (track_read(keys->track_files, vip, &is) && is == should))
		return false;
	report(doctor, HEALTH_FAIL, "%s: %s/%s does not say %d", text,
	       keys->track_files, text, should);
	mend(doctor, "echo %d >%s/%s", should, keys->track_files, text);
	return true;
}

/* "a route of metric 100 in table 107, /run/lbr/192.0.2.1, a hook" */
static void by_text(const struct config_announce *keys,
		    const struct announced_vip *of, const char *vip, char *text,
		    size_t size)
{
	const char *comma = "";
	size_t used = 0;

	*text = '\0';
	if (keys->table) {
		used += (size_t)snprintf(text, size,
					 "a route of metric %u in table %u",
					 of->metric, keys->table);
		comma = ", ";
	}
	if (*keys->track_files) {
		used += (size_t)snprintf(text + used, size - used, "%s%s/%s",
					 comma, keys->track_files, vip);
		comma = ", ";
	}
	if (*keys->hook)
		snprintf(text + used, size - used, "%s%s", comma, keys->hook);
}

/* Why the first of its services that is not fit is not. */
static void unfit_why(const struct looking *looking, const struct addr *vip,
		      char why[160])
{
	const struct running *running =
		looking->announcements.fitnesses.running;
	struct fitness fitness;
	size_t i;

	strcpy(why, "lbr run has yet to announce its present state");
	for (i = 0; i < running->service_count; i++) {
		if (!addr_equal(&running->services[i].key.vip, vip))
			continue;
		service_fitness(&looking->announcements.fitnesses,
				&running->services[i], &fitness);
		if (!*fitness.why)
			continue;
		memcpy(why, fitness.why, sizeof(fitness.why));
		return;
	}
}

/* Does the neighbour have it, as far as can be seen from here? */
static void look_neighbour(struct looking *looking, const struct addr *vip,
			   const char *text)
{
	struct doctor *doctor = looking->doctor;
	char to[64];

	if (!looking->keys->table)
		return;
	if (!looking->bird.said) {
		report(doctor, HEALTH_UNKNOWN,
		       "%s: no bird answers here; to see whether a router "
		       "has it, run there:",
		       text);
		mend(doctor, "ip -%c route show %s",
		     addr_is_v4(vip) ? '4' : '6', text);
	} else if (bird_exports(&looking->bird, vip, to)) {
		report(doctor, HEALTH_OK, "%s: bird has passed it on by %s",
		       text, to);
	} else {
		report(doctor, HEALTH_WARN,
		       "%s: bird has passed it on to no neighbour%s%s", text,
		       *looking->bird.by ? "; sessions that are up: "
					 : ", as no session is up",
		       looking->bird.by);
		mend(doctor, "birdc show protocols; birdc show route %s/%d all",
		     text, addr_is_v4(vip) ? 32 : 128);
	}
}

static void look_vip(struct looking *looking, const struct addr *vip)
{
	const struct announced_vip *of =
		announcement_of(&looking->announcements, vip);
	struct doctor *doctor = looking->doctor;
	char text[INET6_ADDRSTRLEN], by[256], why[160];

	addr_text(vip, text);
	if (!of) {
		report(doctor, HEALTH_FAIL,
		       "%s: not announced: lbr run has not done it yet", text);
		mend_run(doctor);
		return;
	}
	if (is_missing(looking, vip, of, text))
		return;
	by_text(looking->keys, of, text, by, sizeof(by));
	if (of->announced == ANNOUNCED_FIT) {
		report(doctor, HEALTH_OK, "%s: announced as fit, by %s", text,
		       by);
	} else {
		unfit_why(looking, vip, why);
		report(doctor, HEALTH_WARN, "%s: announced as unfit, by %s: %s",
		       text, by, why);
		mend(doctor, "lbr show backends");
	}
	look_neighbour(looking, vip, text);
}

static void look_all(struct looking *looking)
{
	const struct running *running =
		looking->announcements.fitnesses.running;
	struct doctor *doctor = looking->doctor;
	size_t i;

	if (looking->announcements.has_left) {
		report(doctor, HEALTH_WARN,
		       "all VIPs were withdrawn by lbr leave");
		mend(doctor, "lbr up -c %s", doctor->path);
		return;
	}
	if (looking->keys->table) {
		announce_routes_each(looking->keys->table, route_keep, looking);
		bird_ask(&looking->bird);
	}
	for (i = 0; i < running->service_count; i++) {
		const struct addr *vip = &running->services[i].key.vip;

		if (!i || !addr_equal(vip, &running->services[i - 1].key.vip))
			look_vip(looking, vip);
	}
}

void look_announced(struct doctor *doctor)
{
	struct looking looking = {.doctor = doctor};
	const struct kernel *kernel = &doctor->kernel;
	struct running running;
	struct fault said;

	if (running_read(kernel, generation_current(kernel), &running, &said)) {
		report(doctor, HEALTH_UNKNOWN, "%s", said.cause);
		return;
	}
	if (announcements_open(&looking.announcements, kernel, &running,
			       &said)) {
		report(doctor, HEALTH_UNKNOWN, "%s", said.cause);
	} else if (!announces(&looking.announcements.config)) {
		report(doctor, HEALTH_OK,
		       "the file has no key announce: not by lbr");
	} else {
		looking.keys = &looking.announcements.config.announce;
		look_all(&looking);
	}
	bird_free(&looking.bird);
	free(looking.routes);
	announcements_close(&looking.announcements);
	running_free(&running);
}
