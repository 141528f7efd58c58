// SPDX-License-Identifier: GPL-2.0-only
/*
 * diff.c - print what changes between two generations, a line each
 *
 * Both are read from the kernel: the lines say what packets would meet, not
 * what a file says.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "LoadBalancer/generation/file.h"
#include "LoadBalancer/generation/generation.h"
#include "LoadBalancer/generation/read.h"
#include "common/base/address.h"
#include "common/config/state.h"
#include "common/config/write.h"
#include "common/core/abi_services.h"
#include "common/core/age.h"

struct pair {
	const struct running *old, *new;
	bool at_once;
	__u64 now; /* jiffies */
	FILE *out;
	int lines;
};

static void service_line(struct pair *pair, char sign,
			 const struct running_service *service,
			 const char *more)
{
	char text[64], method[32];

	fprintf(pair->out, "%c service %s/%s %s %s%s\n", sign,
		endpoint_text(&service->key.vip, service->key.port, text),
		protocol_name(service->key.protocol),
		scheduler_name(service->service.scheduler),
		method_text(&service->service.method, method), more);
	pair->lines++;
}

static void backend_line(struct pair *pair, char sign,
			 const struct running_service *service,
			 const struct backend *backend, const char *more)
{
	char text[64], address[INET6_ADDRSTRLEN];

	fprintf(pair->out, "%c backend %s of %s/%s %s\n", sign,
		addr_text(&backend->address, address),
		endpoint_text(&service->key.vip, service->key.port, text),
		protocol_name(service->key.protocol), more);
	pair->lines++;
}

/* Seconds, rounded up. */
static unsigned long long seconds_left(const struct pair *pair, __u64 until)
{
	return (milliseconds_of(jiffies_left(pair->now, until)) + 999) / 1000;
}

/* A backend that only one of the two has, that leaves, or that is back. */
static void presence_line(struct pair *pair,
			  const struct running_service *service,
			  const struct backend *old, const struct backend *new)
{
	char more[64];

	if (old && old->state == BACKEND_REMOVING) {
		snprintf(more, sizeof(more), "weight %u, was being removed",
			 (new ?: old)->weight);
		backend_line(pair, new ? '+' : '-', service, old,
			     new	     ? more
			     : pair->at_once ? "cut"
					     : "drained");
		return;
	}
	snprintf(more, sizeof(more), "weight %u", (old ?: new)->weight);
	if (old && new)
		snprintf(more, sizeof(more),
			 "weight %u, drains for at most %llu s", old->weight,
			 seconds_left(
				 pair,
				 pair->new->until[new->id % BACKEND_INDEXES]));
	backend_line(pair, old ? '-' : '+', service, old ?: new, more);
}

/* Does the change undo what was set by hand? */
static const char *taken_back(const struct backend *old,
			      const struct backend *new, enum override what)
{
	return old->override & what && !(new->override &what)
		       ? ", takes back what was set by hand"
		       : "";
}

static const char *port_text(__be16 port, char text[8])
{
	if (!port)
		return "service";
	snprintf(text, 8, "%u", bpf_ntohs(port));
	return text;
}

static void backend_diff(struct pair *pair,
			 const struct running_service *service,
			 const struct backend *old, const struct backend *new)
{
	char more[160] = "", was[48], is[48];

	if (!old || !new ||
	    (old->state == BACKEND_REMOVING) !=
		    (new->state == BACKEND_REMOVING)) {
		presence_line(pair, service, old, new);
		return;
	}
	if (old->weight != new->weight) {
		snprintf(more, sizeof(more), "weight %u -> %u%s", old->weight,
			 new->weight, taken_back(old, new, OVERRIDE_WEIGHT));
		backend_line(pair, '~', service, new, more);
	}
	if (old->mtu != new->mtu) {
		snprintf(more, sizeof(more), "mtu %u -> %u", old->mtu,
			 new->mtu);
		backend_line(pair, '~', service, new, more);
	}
	if (old->port != new->port) {
		snprintf(more, sizeof(more), "port %s -> %s",
			 port_text(old->port, was), port_text(new->port, is));
		backend_line(pair, '~', service, new, more);
	}
	status_flows(old, was);
	status_flows(new, is);
	if (strcmp(was, is)) {
		snprintf(more, sizeof(more), "%s -> %s%s", was, is,
			 taken_back(old, new, OVERRIDE_STATE));
		backend_line(pair, '~', service, new, more);
	}
}

/* Backends of a service that both have, or that only one has. */
static void backends_diff(struct pair *pair, const struct running_service *old,
			  const struct running_service *new)
{
	const struct running_service *service = new ?: old;
	__u32 id = service->service.id;
	const struct backend *backend;
	size_t i, end;

	running_range(pair->old, id, &i, &end);
	for (; i < end; i++) {
		backend = pair->old->by_address[i];
		backend_diff(pair, service, backend,
			     running_backend(pair->new, id, &backend->address));
	}
	running_range(pair->new, id, &i, &end);
	for (; i < end; i++) {
		backend = pair->new->by_address[i];
		if (!running_backend(pair->old, id, &backend->address))
			backend_diff(pair, service, NULL, backend);
	}
}

static enum service_status status_of(const struct running *running, __u32 id)
{
	struct service_tally tally = {0};
	size_t i, end;

	running_range(running, id, &i, &end);
	for (; i < end; i++)
		service_add(&tally, running->by_address[i]);
	return service_status(&tally);
}

static void status_diff(struct pair *pair, const struct running_service *old,
			const struct running_service *new)
{
	enum service_status was = status_of(pair->old, old->service.id);
	enum service_status is = status_of(pair->new, new->service.id);
	char text[64];

	if (was == is)
		return;
	fprintf(pair->out, "~ service %s/%s %s -> %s\n",
		endpoint_text(&new->key.vip, new->key.port, text),
		protocol_name(new->key.protocol), service_status_name(was),
		service_status_name(is));
	pair->lines++;
}

static void service_diff(struct pair *pair, const struct running_service *old,
			 const struct running_service *new)
{
	static const char *const fragments[] = {"by-id", "by-address"};
	char text[64], was[32], is[32];

	backends_diff(pair, old, new);
	status_diff(pair, old, new);
	if (old->by_address != new->by_address) {
		fprintf(pair->out, "~ service %s/%s fragments %s -> %s\n",
			endpoint_text(&new->key.vip, new->key.port, text),
			protocol_name(new->key.protocol),
			fragments[old->by_address], fragments[new->by_address]);
		pair->lines++;
	}
	if (memcmp(&old->service.method, &new->service.method,
		   sizeof(struct method))) {
		fprintf(pair->out, "~ service %s/%s %s -> %s\n",
			endpoint_text(&new->key.vip, new->key.port, text),
			protocol_name(new->key.protocol),
			method_text(&old->service.method, was),
			method_text(&new->service.method, is));
		pair->lines++;
	}
	if (old->service.scheduler == new->service.scheduler &&
	    (old->service.table_size == new->service.table_size ||
	     new->service.scheduler == SCHEDULER_WORKERS ||
	     !old->service.table_size || !new->service.table_size))
		return;
	fprintf(pair->out, "~ service %s/%s %s table-size %u -> %s %u\n",
		endpoint_text(&new->key.vip, new->key.port, text),
		protocol_name(new->key.protocol),
		scheduler_name(old->service.scheduler), old->service.table_size,
		scheduler_name(new->service.scheduler),
		new->service.table_size);
	pair->lines++;
}

static void number_diff(struct pair *pair, const char *name, __u64 old,
			__u64 new, const char *unit)
{
	if (old == new)
		return;
	fprintf(pair->out, "~ %s %llu%s -> %llu%s\n", name,
		(unsigned long long)old, unit, (unsigned long long)new, unit);
	pair->lines++;
}

static void word_diff(struct pair *pair, const char *name, unsigned old,
		      unsigned new, const char *const words[])
{
	if (old == new)
		return;
	fprintf(pair->out, "~ %s %s -> %s\n", name, words[old], words[new]);
	pair->lines++;
}

/* What belongs to no service. */
static void settings_diff(struct pair *pair)
{
	static const char *const unmatched[] = {"local", "drop", "pass"};
	static const char *const claims[] = {"none", "arp"};
	static const char *const hops[] = {"by backend", "by flow"};
	const struct generation *old = &pair->old->generation;
	const struct generation *new = &pair->new->generation;

	word_diff(pair, "unmatched", old->unmatched, new->unmatched, unmatched);
	word_diff(pair, "claim", old->claim, new->claim, claims);
	number_diff(pair, "udp-idle", old->udp_idle, new->udp_idle, " jiffies");
	number_diff(pair, "insert-limit", old->insert_limit, new->insert_limit,
		    "");
	number_diff(pair, "icmp-error-limit", old->icmp_error_limit,
		    new->icmp_error_limit, "");
	number_diff(pair, "next-hop-age", old->next_hop_age, new->next_hop_age,
		    " jiffies");
	if (memcmp(old->outer_source, new->outer_source,
		   sizeof(new->outer_source))) {
		fputs("~ outer-source\n", pair->out);
		pair->lines++;
	}
	word_diff(pair, "next hops", old->next_hops_by_flow,
		  new->next_hops_by_flow, hops);
}

/* A service that only one of the two has, that leaves, or that is back. */
static void service_presence(struct pair *pair,
			     const struct running_service *old,
			     const struct running_service *new)
{
	char more[64] = "";

	if (old && new && !old->service.removing)
		snprintf(more, sizeof(more),
			 ", its flows drain for at most %llu s",
			 seconds_left(pair, running_until(pair->new, new)));
	else if (old && old->service.removing)
		snprintf(more, sizeof(more), ", was being removed%s",
			 new		 ? ""
			 : pair->at_once ? ": cut"
					 : ": drained");
	service_line(pair, new && !new->service.removing ? '+' : '-',
		     new ?: old, more);
	backends_diff(pair, old, new);
}

static void services_diff(struct pair *pair)
{
	const struct running_service *old = pair->old->services, *new;
	size_t i;

	for (i = 0; i < pair->old->service_count; i++, old++) {
		new = running_service(pair->new, &old->key);
		if (!new || !old->service.removing != !new->service.removing)
			service_presence(pair, old, new);
		else
			service_diff(pair, old, new);
	}
	new = pair->new->services;
	for (i = 0; i < pair->new->service_count; i++, new ++) {
		if (!running_service(pair->old, &new->key))
			service_presence(pair, NULL, new);
	}
}

/*
 * Keys of the file that packets do not meet, or not at once: checks, times. If
 * both files mean the same, the old one is not read.
 */
static int files_diff(struct pair *pair, const struct kernel *kernel,
		      __u32 before, const struct config *new)
{
	static const char *const told[] = {
		"unmatched",	"udp-idle",
		"insert-limit", "icmp-error-limit",
		"next-hop-age", "outer-source",
		"scheduler",	"forward",
		"dscp",		"checksum",
		"table-size",	"fragments",
		NULL,
	};
	struct config old;
	struct fault ignored;
	int lines;

	if (!memcmp(pair->old->generation.digest, pair->new->generation.digest,
		    sizeof(pair->new->generation.digest)))
		return 0;
	if (file_read(kernel, before, &old, &ignored))
		return -1;
	lines = config_diff(&old, new, told, pair->out);
	config_free(&old);
	pair->lines += lines;
	return lines < 0 ? -1 : 0;
}

int lbr_diff(struct kernel *kernel, __u32 before, __u32 after,
	     const struct config *config, FILE *out)
{
	struct fault ignored;
	struct running read = {0}, new;
	const struct running *old = kernel->running ?: &read;
	struct pair pair = {old, &new, kernel->at_once, 0, out, 0};
	int rc;

	if (jiffies_now(kernel, &pair.now) ||
	    (!kernel->running && running_read(kernel, before, &read, &ignored)))
		return -1;
	if (running_read(kernel, after, &new, &ignored)) {
		running_free(&read);
		return -1;
	}
	settings_diff(&pair);
	services_diff(&pair);
	rc = files_diff(&pair, kernel, before, config);
	running_free(&read);
	running_free(&new);
	return rc ? -1 : pair.lines;
}
