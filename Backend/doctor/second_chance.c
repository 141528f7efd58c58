// SPDX-License-Identifier: GPL-2.0-only
/*
 * second_chance.c - second chance, as far as this host knows
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "Backend/doctor/doctor.h"
#include "Backend/generation/generation.h"
#include "common/config/endpoint.h"
#include "common/config/transition.h"
#include "common/kernel/generation.h"
#include "common/net/device.h"

/*
 * In generic mode XDP sees what GRO has merged, and what it sends back is not
 * split again. On veth the other end merges nothing that is not split there.
 */
static void merged_look(struct doctor *doctor)
{
	const struct kernel *kernel = &doctor->kernel;
	const struct link *link;
	int i;

	for (i = 0; i < kernel->attachment_count; i++) {
		const struct attachment *at = &kernel->attachments[i];

		link = doctor_link(doctor, at->name);
		if (at->mode != MODE_GENERIC || !link ||
		    !strcmp(link->kind, "veth") || !device_merges(at->name))
			continue;
		report(doctor, HEALTH_WARN,
		       "%s: in generic mode, packets that GRO has merged "
		       "cannot be passed on to other backends",
		       at->name);
		mend(doctor, "ethtool -K %s gro off", at->name);
	}
}

/* Does a transition go on since then, for longer than `drain-timeout`? */
static bool is_overdue(const struct doctor *doctor, __u64 since)
{
	__u64 now;

	return since && !jiffies_now(&doctor->kernel, &now) &&
	       now > since + jiffies_of(doctor->config.drain_timeout);
}

/* The flows of a service that need the transition, and have it wait. */
static void waiting_look(struct doctor *doctor,
			 const struct config_service *service,
			 const struct restore_row *rows, const __u32 *flows,
			 const __u64 *begun, int count)
{
	char text[64], whose[TRANSITION_TEXT];
	__u64 since = 0;
	__u32 sum = 0;
	int i;

	for (i = 0; i < count; i++) {
		if (rows[i].key.port != service->port ||
		    rows[i].key.protocol != service->protocol ||
		    memcmp(&rows[i].restore.vip, &service->vip,
			   sizeof(service->vip)))
			continue;
		sum += flows[i];
		if (begun && rows[i].restore.table_size)
			since = begun[rows[i].index % (1 + MAX_RESTORES)];
	}
	transition_text(service, whose);
	endpoint_text(&service->vip, service->port, text);
	if (!sum || !is_overdue(doctor, since)) {
		report(doctor, HEALTH_OK,
		       "%s/%s: the transition of %s waits for %u flow%s here",
		       text, protocol_name(service->protocol), whose, sum,
		       sum == 1 ? "" : "s");
		return;
	}
	report(doctor, HEALTH_WARN,
	       "%s/%s: the transition of %s has lasted longer than "
	       "drain-timeout, and waits for %u flow%s here: %s when it is "
	       "ended; give %s more time, or end it on every host",
	       text, protocol_name(service->protocol), whose, sum,
	       sum == 1 ? "" : "s", sum == 1 ? "it breaks" : "they break",
	       sum == 1 ? "it" : "them");
	mend(doctor, "bkd show restores");
}

static void transitions_look(struct doctor *doctor, const struct served *served)
{
	struct restore_row *rows;
	int count = restores_read(&doctor->kernel,
				  generation_current(&doctor->kernel), &rows);
	__u32 *flows =
		calloc((size_t)(count > 0 ? count : 0) + 1, sizeof(*flows));
	__u64 *begun = restores_since(&doctor->kernel,
				      generation_current(&doctor->kernel));
	struct fault said = {"the flows here cannot be counted", ""};
	size_t s;

	if (count < 0 || !flows ||
	    moved_flows(&doctor->kernel, rows, count, flows, &said)) {
		report(doctor, HEALTH_UNKNOWN, "%s", said.cause);
	} else {
		for (s = 0; s < served->count; s++) {
			if (has_second_chance(served->services[s]) &&
			    is_in_transition(served->services[s]))
				waiting_look(doctor, served->services[s], rows,
					     flows, begun, count);
		}
	}
	free(begun);
	free(flows);
	free(rows);
}

void look_second_chance(struct doctor *doctor)
{
	struct served served;
	size_t s, wanted = 0;

	if (served_read(doctor, &served))
		return;
	for (s = 0; s < served.count; s++)
		wanted += has_second_chance(served.services[s]) ||
			  served.services[s]->flows == FLOWS_SECOND_CHANCE;
	if (wanted) {
		merged_look(doctor);
		transitions_look(doctor, &served);
	}
	if (!doctor->said)
		report(doctor, HEALTH_OK,
		       "%zu service%s of this host %s second chance", wanted,
		       wanted == 1 ? "" : "s", wanted == 1 ? "has" : "have");
	served_free(&served);
}
