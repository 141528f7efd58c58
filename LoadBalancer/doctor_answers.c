// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor_answers.c - whether backends answer, as far as `lbr run` knows
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "LoadBalancer/doctor.h"
#include "LoadBalancer/lbr.h"
#include "LoadBalancer/running.h"
#include "common/tool/run.h"

static bool names_checks(const struct config *config)
{
	size_t i;

	for (i = 0; i < config->service_count; i++) {
		if (config->services[i].check.type != CHECK_NONE)
			return true;
	}
	return false;
}

void look_run(struct doctor *doctor)
{
	bool checks = names_checks(&doctor->config);

	if (run_is_alive(doctor->kernel.role) || !checks) {
		found(doctor, HEALTH_OK, "%s",
		      checks ? "lbr run is alive, and checks backends"
			     : "the file names no health checks");
		return;
	}
	found(doctor, HEALTH_WARN,
	      "the file names health checks, and lbr run does not run: a dead "
	      "backend keeps its flows");
	if (access("/run/systemd/system", F_OK))
		mend(doctor, "setsid lbr run -c %s </dev/null &", doctor->path);
	else
		mend(doctor, "systemctl start lbr-run");
}

/* Is it to drain? Then it may be down on purpose. */
static bool drains(const struct config_service *from, const struct backend *row)
{
	bool by_hand = row->by_hand & BY_HAND_STATE;
	size_t i;

	for (i = 0; i < from->backend_count; i++) {
		if (!memcmp(&from->backends[i].address, &row->address,
			    sizeof(row->address)))
			return from->backends[i].drain != by_hand;
	}
	return false;
}

/* What the health checks have found of a service's backends. */
static void answers_of(struct doctor *doctor, const struct running *running,
		       const struct running_service *service,
		       const struct config_service *from)
{
	char backend[INET6_ADDRSTRLEN], vip[64];
	size_t i, end;

	running_range(running, service->service.id, &i, &end);
	for (; i < end; i++) {
		if (running->by_address[i]->state != BACKEND_DOWN ||
		    drains(from, running->by_address[i]))
			continue;
		addr_text(&running->by_address[i]->address, backend);
		found(doctor, HEALTH_FAIL,
		      "%s does not answer through the path, for %s/%s; there:",
		      backend,
		      endpoint_text(&service->key.vip, service->key.port, vip),
		      protocol_name(service->key.protocol));
		mend(doctor, "bkd doctor");
	}
}

/* Says it where `lbr run` knows. */
static bool answers_known(struct doctor *doctor)
{
	const struct kernel *kernel = &doctor->kernel;
	const struct config_service *from = doctor->config.services;
	const struct running_service *service;
	struct running running;
	struct fault ignored;
	size_t i, checked = 0;

	if (!doctor->is_up || !run_is_alive(doctor->kernel.role) ||
	    running_read(kernel, generation_current(kernel), &running,
			 &ignored))
		return false;
	for (i = 0; i < doctor->config.service_count; i++, from++) {
		service = running_service_for(&running, from);
		if (!service || from->check.type == CHECK_NONE)
			continue;
		checked++;
		answers_of(doctor, &running, service, from);
	}
	running_free(&running);
	if (checked && !doctor->said)
		found(doctor, HEALTH_OK,
		      "each backend of %zu services that are checked does, or "
		      "drains",
		      checked);
	return checked;
}

/*
 * A socket of this host's would ask another way than clients do, and be
 * answered from the VIP; so only `lbr run` can ask from here.
 */
void look_answers(struct doctor *doctor)
{
	const struct config_service *service = doctor->config.services;
	char text[64];
	size_t i;

	if (answers_known(doctor))
		return;
	for (i = 0; i < doctor->config.service_count; i++, service++) {
		if (service->protocol != IPPROTO_TCP || !service->port)
			continue;
		found(doctor, HEALTH_UNKNOWN,
		      "whether each backend answers is seen where clients "
		      "are; there, several times:");
		mend(doctor, "curl -sSo /dev/null -m 5 http://%s/",
		     endpoint_text(&service->vip, service->port, text));
		return;
	}
	found(doctor, HEALTH_UNKNOWN,
	      "whether each backend answers is seen where clients are");
}
