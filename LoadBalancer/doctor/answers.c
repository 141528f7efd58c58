// SPDX-License-Identifier: GPL-2.0-only
/*
 * answers.c - whether backends answer, as far as `lbr run` knows
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "LoadBalancer/doctor/doctor.h"
#include "common/config/announce.h"
#include "LoadBalancer/generation/file.h"
#include "LoadBalancer/generation/condition.h"
#include "common/base/address.h"
#include "common/config/state.h"
#include "common/core/abi_packets.h"
#include "common/core/abi_services.h"
#include "common/core/address.h"
#include "common/core/inline.h"
#include "common/kernel/run_lock.h"
#include "common/net/routes.h"

void mend_run(struct doctor *doctor)
{
	if (access("/run/systemd/system", F_OK))
		mend(doctor, "setsid lbr run -c %s </dev/null &", doctor->path);
	else
		mend(doctor, "systemctl start lbr-run");
}

void look_run(struct doctor *doctor)
{
	bool checks = file_wants_checks(&doctor->config);
	struct fault said;
	int alive = run_is_alive(doctor->kernel.role, &said);

	if (alive < 0) {
		report(doctor, HEALTH_UNKNOWN, "%s", said.cause);
		return;
	}
	if (!alive && !checks && announces(&doctor->config)) {
		report(doctor, HEALTH_WARN,
		       "the file says to announce VIPs, and lbr run does not "
		       "run: what is announced stays as it is");
		mend_run(doctor);
		return;
	}
	if (alive || !checks) {
		report(doctor, HEALTH_OK, "%s",
		       checks ? "lbr run is alive, and checks backends"
			      : "the file names no health checks");
		return;
	}
	report(doctor, HEALTH_WARN,
	       "the file names health checks, and lbr run does not run: a dead "
	       "backend keeps its flows");
	mend_run(doctor);
}

/* An address of `nat-source` of this family; check has seen that there is. */
static const struct addr *source_for(const struct config *config,
				     const struct addr *like)
{
	size_t i = 0;

	while (i + 1 < config->nat_source_count &&
	       addr_is_v4(&config->nat_sources[i].address) != addr_is_v4(like))
		i++;
	return &config->nat_sources[i].address;
}

/*
 * The command that shows the same on the backend, which has the VIP on lo, or
 * is asked at its own address.
 */
static void mend_there(struct doctor *doctor, const struct backend *backend,
		       const struct config_service *from)
{
	const struct config_check *check = &from->check;
	bool is_returned = method_returns(&from->method);
	const struct addr *at = is_returned ? &backend->address : &from->vip;
	__be16 port = check->port ?: backend->port ?: from->port;
	char vip[64];

	if (backend->finding == FINDING_PATH_DOWN && is_returned)
		mend(doctor, "ping -c 1 %s",
		     addr_text(source_for(&doctor->config, at), vip));
	else if (backend->finding == FINDING_PATH_DOWN)
		mend(doctor, "bkd doctor");
	else if ((check->type == CHECK_HTTP || check->type == CHECK_HTTPS) &&
		 !strchr(check->path, '\'') && !strchr(check->host, '\''))
		mend(doctor, "curl -gksSi -m 5 %s%s%s'http%s://%s%s'",
		     *check->host ? "-H 'Host: " : "", check->host,
		     *check->host ? "' " : "",
		     check->type == CHECK_HTTPS ? "s" : "",
		     endpoint_text(at, port, vip), check->path);
	else
		mend(doctor, "ss -Hln%cp sport = :%u",
		     check->type == CHECK_UDP ? 'u' : 't', bpf_ntohs(port));
}

static bool is_attached(const struct kernel *kernel, __u32 device)
{
	int map = kernel_map(kernel, "interfaces");
	struct interface row = {.ifindex = 1};
	bool found = false;
	__u32 i;

	for (i = 0; map >= 0 && row.ifindex && !found && i < MAX_INTERFACES;
	     i++)
		found = !bpf_map_lookup_elem(map, &i, &row) &&
			row.device == device;
	if (map >= 0)
		close(map);
	return found;
}

/*
 * For a backend about which no check says anything: does xdp_lbr not see the
 * answers? They then end in this host's own stack.
 */
static void unheard(struct doctor *doctor, const struct backend *backend,
		    const struct config_service *from)
{
	char address[INET6_ADDRSTRLEN], vip[64], name[IF_NAMESIZE];
	struct fault ignored;
	struct next_hop hop;

	if (backend->finding != FINDING_NONE ||
	    route_read(&backend->address, &hop, &ignored) || !hop.ifindex ||
	    is_attached(&doctor->kernel, (__u32)hop.ifindex) ||
	    !if_indextoname((unsigned int)hop.ifindex, name))
		return;
	report(doctor, HEALTH_WARN,
	       "%s, for %s/%s, cannot be checked: its answers come by %s, "
	       "where xdp_lbr is not attached",
	       addr_text(&backend->address, address),
	       endpoint_text(&from->vip, from->port, vip),
	       protocol_name(from->protocol), name);
	mend(doctor, "lbr up -i %s", name);
}

/* What health checks have found about a service's backends. */
static void answers_of(struct doctor *doctor,
		       const struct conditions *conditions,
		       const struct running_service *service,
		       const struct config_service *from)
{
	const struct running *running = conditions->running;
	char address[INET6_ADDRSTRLEN], vip[64];
	const struct backend *backend;
	struct condition condition;
	size_t i, end;

	running_range(running, service->service.id, &i, &end);
	for (; i < end; i++) {
		backend = running->by_address[i];
		backend_condition(conditions, backend, &condition);
		if (!conditions->is_stale)
			unheard(doctor, backend, from);
		if (condition.status != STATUS_DOWN &&
		    condition.status != STATUS_LAST_RESORT)
			continue;
		report(doctor, HEALTH_FAIL, "%s is %s, for %s/%s: %s; there:",
		       addr_text(&backend->address, address), condition.state,
		       endpoint_text(&from->vip, from->port, vip),
		       protocol_name(from->protocol), condition.why);
		mend_there(doctor, backend, from);
	}
}

/*
 * Reads what runs. Unless it returns -1, conditions_close() and running_free()
 * are due.
 */
static int conditions_read(struct doctor *doctor, struct running *running,
			   struct conditions *conditions)
{
	const struct kernel *kernel = &doctor->kernel;
	struct fault ignored;

	if (!doctor->is_up ||
	    running_read(kernel, generation_current(kernel), running, &ignored))
		return -1;
	conditions_open(conditions, kernel, running);
	return 0;
}

/* Reports what checks have found, and whether any are made now. */
static bool answers_known(struct doctor *doctor)
{
	const struct config_service *from = doctor->config.services;
	const struct running_service *service;
	struct conditions conditions;
	struct running running;
	size_t i, checked = 0;
	bool is_known;

	if (conditions_read(doctor, &running, &conditions))
		return false;
	for (i = 0; i < doctor->config.service_count; i++, from++) {
		service = running_service_for(&running, from);
		if (!service || from->check.type == CHECK_NONE)
			continue;
		checked++;
		answers_of(doctor, &conditions, service, from);
	}
	is_known = doctor->said || (checked && !conditions.is_stale);
	conditions_close(&conditions);
	running_free(&running);
	if (is_known && !doctor->said)
		report(doctor, HEALTH_OK,
		       "%zu service%s with a check: each backend answers, or "
		       "drains",
		       checked, checked == 1 ? "" : "s");
	return is_known;
}

/* A backend that drains, one set by a verb first. NULL: none. */
static const struct backend *drained_of(const struct running *running,
					const struct running_service *service)
{
	const struct backend *first = NULL, *backend;
	size_t i, end;

	running_range(running, service->service.id, &i, &end);
	for (; i < end; i++) {
		backend = running->by_address[i];
		if (backend->state != BACKEND_REMOVING &&
		    (!first || (backend->override & OVERRIDE_STATE &&
				!(first->override & OVERRIDE_STATE))))
			first = backend;
	}
	return first;
}

/* A service without a backend that is up. */
static void report_not_up(struct doctor *doctor, const struct running *running,
			  const struct config_service *from,
			  const struct running_service *service,
			  const struct condition *condition)
{
	const struct backend *drained = drained_of(running, service);
	char vip[64], address[INET6_ADDRSTRLEN];

	endpoint_text(&from->vip, from->port, vip);
	report(doctor, HEALTH_FAIL, "%s/%s is %s: %s%s", vip,
	       protocol_name(from->protocol), condition->state, condition->why,
	       service->service.table_size ? ""
	       : from->on_all_down == ALL_DOWN_PASS
		       ? "; its new flows are handed to this host's kernel"
		       : "; its new flows are dropped");
	if (condition->status == SERVICE_DOWN)
		mend(doctor, "lbr show backends");
	else if (drained)
		mend(doctor, "lbr undrain %s -s %s/%s",
		     addr_text(&drained->address, address), vip,
		     protocol_name(from->protocol));
}

void look_services(struct doctor *doctor)
{
	const struct config_service *from = doctor->config.services;
	const struct running_service *service;
	struct conditions conditions;
	struct condition condition;
	struct running running;
	size_t i, count = 0;

	if (conditions_read(doctor, &running, &conditions)) {
		report(doctor, HEALTH_UNKNOWN, "what runs cannot be read");
		return;
	}
	for (i = 0; i < doctor->config.service_count; i++, from++) {
		service = running_service_for(&running, from);
		if (!service)
			continue;
		count++;
		service_condition(&conditions, service, &condition);
		if (condition.status == SERVICE_DOWN ||
		    condition.status == SERVICE_DRAINED)
			report_not_up(doctor, &running, from, service,
				      &condition);
	}
	conditions_close(&conditions);
	running_free(&running);
	if (!doctor->said)
		report(doctor, HEALTH_OK,
		       "%zu service%s: each has a backend for new flows", count,
		       count == 1 ? "" : "s");
}

/*
 * An ordinary socket of this host cannot ask: its packets do not pass xdp_lbr,
 * and the VIP would answer what it did not ask. `lbr run` can.
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
		report(doctor, HEALTH_UNKNOWN,
		       "only a client can see whether each backend answers; "
		       "there, several times:");
		mend(doctor, "curl -sSo /dev/null -m 5 http://%s/",
		     endpoint_text(&service->vip, service->port, text));
		return;
	}
	report(doctor, HEALTH_UNKNOWN,
	       "only a client can see whether each backend answers");
}
