// SPDX-License-Identifier: GPL-2.0-only
/*
 * flow_table.c - a new flow table, and the entries of the one before
 *
 * A map cannot grow, nor change its layout. An `up` with another size or over
 * another layout makes a new table and copies the flows twice: before the new
 * program runs, and again after it does, those that the old program added or
 * changed meanwhile. What the old table says about these is right: the new
 * program can know less, never more.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "LoadBalancer/generation/flow_table.h"
#include "LoadBalancer/generation/generation.h"
#include "LoadBalancer/generation/layouts.h"
#include "LoadBalancer/generation/secrets.h"
#include "common/core/abi_packets.h"
#include "common/core/abi_services.h"
#include "common/core/age.h"
#include "common/core/flows.h"
#include "common/kernel/generation.h"

int flow_table_open(struct flow_table *table, int flows, int keys)
{
	int rc = flows_open(table, flows);

	table->keys = map_open(keys, PROT_READ | PROT_WRITE, &table->keys_size);
	if (keys >= 0)
		close(keys);
	return table->keys ? rc : -1;
}

int flows_open(struct flow_table *table, int flows)
{
	memset(table, 0, sizeof(*table));
	table->flows =
		map_open(flows, PROT_READ | PROT_WRITE, &table->flows_size);
	if (table->flows)
		table->buckets = map_entries(flows);
	table->ways = (size_t)table->buckets * FLOWS_PER_BUCKET;
	if (flows >= 0)
		close(flows);
	return table->flows ? 0 : -1;
}

void flow_table_close(struct flow_table *table)
{
	if (table->flows)
		munmap(table->flows, table->flows_size);
	if (table->keys)
		munmap(table->keys, table->keys_size);
	memset(table, 0, sizeof(*table));
}

bool flow_is_remembered(const struct flow *flow)
{
	return flow_is_known(flow);
}

/*
 * How long a TCP flow may be silent and still counts as in use: servers would
 * keep it for ever; RFC 5382 asks this of devices that keep state. And how long
 * after its client has ended it, for packets still under way; or after a SYN
 * that nothing has followed.
 */
#define SILENT ((2 * 60 + 4) * 60 * 1000)
#define ENDED  (5 * 1000)

struct idle idle_of(__u64 now, __u64 udp_idle)
{
	return (struct idle){(__u32)now, jiffies_of(SILENT), jiffies_of(ENDED),
			     udp_idle};
}

bool flow_is_active(const struct idle *idle, const struct flow *flow)
{
	__u64 most = flow->backend & FLOW_UDP			 ? idle->udp
		     : flow->backend & (FLOW_ENDS | FLOW_BEGINS) ? idle->ended
								 : idle->silent;

	return age_low(idle->now, flow->seen) <= most;
}

int active_flows(const struct kernel *kernel, const struct running *running,
		 __u64 now, __u32 *active)
{
	struct idle idle = idle_of(now, running->generation.udp_idle);
	const struct running_service *service;
	const struct backend *backend;
	struct flow_table table;
	const struct flow *flow;
	int rc;
	size_t i;

	rc = flows_open(&table, kernel_map(kernel, "flows"));
	for (i = 0; i < table.ways; i++) {
		flow = &table.flows[i];
		if (!flow->hash)
			continue;
		backend = &running->backends[flow->backend % BACKEND_INDEXES];
		service = running_service_of(running, backend->service);
		if (backend->id != (flow->backend & FLOW_BACKEND) || !service)
			continue;
		if (flow_is_active(&idle, flow))
			active[backend->id % BACKEND_INDEXES]++;
	}
	flow_table_close(&table);
	return rc;
}

int lbr_prepare(struct kernel *kernel, const struct config *config,
		struct fault *fault_out)
{
	__u32 buckets = flow_buckets(config->flow_table_size), running;
	int map;

	if (kernel->object)
		return kernel_resize(kernel, "flows", buckets, fault_out)
			       ?: kernel_resize(kernel, "flow_keys", buckets,
						fault_out);
	/* apply: no program is loaded, so no map can be replaced. */
	map = kernel_map(kernel, "flows");
	running = map_entries(map);
	if (map >= 0)
		close(map);
	if (running == buckets)
		return 0;
	fault(fault_out,
	      "cannot apply %s: flow-table-size is %u there and %u in the "
	      "kernel",
	      config->path, config->flow_table_size, running * 2);
	return fault_hint(fault_out, "%s up -c %s (it copies the flows)",
			  kernel->role->name, config->path);
}

/* Does `flow` replace `other`? The younger one stays. */
static bool makes_room(const struct flow *flow, const struct flow *other,
		       __u32 now)
{
	return !flow_is_known(flow) || flow->hash == other->hash ||
	       age_low(now, flow->seen) >= age_low(now, other->seen);
}

/* Jiffies by which a packet may be late in writing what it saw. */
#define LATE 2

bool flow_is_since(const struct flow *flow, __u64 since, __u64 now)
{
	return age_low((__u32)now, flow->seen) <= now - since + LATE;
}

/*
 * Copies from one table into another. `since`: the time of the copy before,
 * behind which only what has been seen later is looked at; 0: this is the
 * first. Returns the number of flows.
 */
static size_t copy(const struct flow_table *from, struct flow_table *to,
		   __u64 since, __u64 now)
{
	struct flow_bucket *bucket;
	const struct flow *flow;
	size_t copied = 0, i;
	__u32 number;
	int way;

	for (i = 0; i < from->ways; i++) {
		flow = &from->flows[i];
		if (!flow->hash)
			continue;
		copied += flow_is_known(flow) != 0;
		number = flow_bucket(flow->hash, to->buckets);
		bucket = &((struct flow_bucket *)to->flows)[number];
		if (since ? !flow_is_since(flow, since, now)
			  : flow_find(bucket, flow->hash) >= 0)
			continue;
		way = flow_way(bucket, flow->hash, (__u32)now,
			       flow->backend & FLOW_BEGINS, 0, 0);
		if (way < 0 ||
		    !makes_room(&bucket->flows[way], flow, (__u32)now))
			continue;
		bucket->flows[way] = *flow;
		to->keys[(size_t)number * FLOWS_PER_BUCKET + (size_t)way] =
			from->keys[i];
	}
	return copied;
}

/* One copy of the flows. */
struct carry {
	struct kernel *kernel;
	struct flow_table from, to;
	size_t left; /* of another layout: in use, and their backend is gone */
	__u64 now;
};

/* `since`: of copy(). */
static int carry_open(struct carry *carry, __u64 since, struct fault *fault_out)
{
	struct kernel *kernel = carry->kernel;
	int rc = jiffies_now(kernel, &carry->now);

	if (!rc && kernel->before) {
		if (layout_flows(kernel->before, since, carry->now,
				 &carry->from, &carry->left, fault_out))
			return -1;
	} else {
		rc = rc
			     ?: flow_table_open(
					&carry->from,
					kernel_replaced(kernel, "flows"),
					kernel_replaced(kernel, "flow_keys"));
	}
	rc = rc
		     ?: flow_table_open(&carry->to, kernel_map(kernel, "flows"),
					kernel_map(kernel, "flow_keys"));
	return rc ? fault(fault_out, "cannot copy the flows: %s",
			  strerror(errno))
		  : 0;
}

static void carry_close(struct carry *carry)
{
	flow_table_close(&carry->from);
	flow_table_close(&carry->to);
}

/* What has become of the flows of another layout, by what runs now. */
static int carry_count(struct carry *carry, struct fault *fault_out)
{
	const struct kernel *kernel = carry->kernel;
	const struct flow_bucket *buckets = (void *)carry->to.flows;
	size_t taken = 0, left = carry->left, i;
	const struct backend *backend;
	const struct flow *flow;
	struct running running;

	if (running_read(kernel, generation_current(kernel), &running,
			 fault_out))
		return -1;
	for (i = 0; i < carry->from.ways; i++) {
		flow = &carry->from.flows[i];
		if (!flow_is_known(flow))
			continue;
		backend = &running.backends[flow->backend % BACKEND_INDEXES];
		if (backend->id == (flow->backend & FLOW_BACKEND) &&
		    backend->state != BACKEND_ABSENT &&
		    flow_find(&buckets[flow_bucket(flow->hash,
						   carry->to.buckets)],
			      flow->hash) >= 0)
			taken++;
		else
			left++;
	}
	running_free(&running);
	printf("%s: %zu flow%s taken over, %zu not%s\n",
	       kernel->before->directory, taken, taken == 1 ? "" : "s", left,
	       left ? ": their backends are gone" : "");
	return 0;
}

/*
 * Converts the whole table once more: the last copy must be quick, and looks
 * only at what is new.
 */
static int carry_report(struct kernel *kernel, struct fault *fault_out)
{
	struct carry all = {.kernel = kernel};
	int rc = carry_open(&all, 0, fault_out) ?: carry_count(&all, fault_out);

	carry_close(&all);
	return rc;
}

static int carry_first(struct carry *carry, struct fault *fault_out)
{
	size_t copied = copy(&carry->from, &carry->to, 0, carry->now);
	size_t room = carry->to.ways / 2;

	carry->kernel->copied = carry->now;
	if (copied <= room)
		return 0;
	fault(fault_out,
	      "cannot make the flow table smaller: %zu flows are remembered, "
	      "and flow-table-size is %zu",
	      copied, room);
	return fault_hint(fault_out, "a flow-table-size of %zu or more",
			  copied);
}

/* What the program before has written since the last copy. */
static void carry_again(struct carry *carry)
{
	copy(&carry->from, &carry->to, carry->kernel->copied, carry->now);
	carry->kernel->copied = carry->now;
}

int lbr_carry_over(struct kernel *kernel, enum carry_stage stage,
		   struct fault *fault_out)
{
	struct carry carry = {.kernel = kernel};
	int replaced, rc;

	if (stage == CARRY_LOADED &&
	    (kernel->before ? layout_secrets(kernel->before, kernel, fault_out)
			    : secrets_make(kernel, fault_out)))
		return -1;
	replaced = kernel_replaced(kernel, "flows");
	if (replaced >= 0)
		close(replaced);
	else if (!kernel->before)
		return 0;
	rc = carry_open(&carry, kernel->copied, fault_out);
	if (!rc && stage == CARRY_LOADED)
		rc = carry_first(&carry, fault_out);
	else if (!rc)
		carry_again(&carry);
	carry_close(&carry);
	if (rc || stage != CARRY_ATTACHED || !kernel->before)
		return rc;
	rc = carry_report(kernel, fault_out);
	if (!rc)
		layout_by_hand(kernel->before);
	return rc;
}
