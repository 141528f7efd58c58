// SPDX-License-Identifier: GPL-2.0-only
/*
 * serving.c - see serving.h
 *
 * The program gets a packet that says nothing but that what waits may leave
 * (SERVE_MAGIC). It is made here and is longer than any request, so that each
 * fits in. In native mode the kernel runs the program on it and sends what
 * becomes of it (BPF_F_TEST_XDP_LIVE_FRAMES, Linux 5.18, as workers). In
 * generic mode a driver may not be able to send such frames; there a program
 * that passes everything hands it up as if it had come in by the interface, and
 * xdp_lbr meets it on its way.
 */
#include "LoadBalancer/health/serving.h"

#include <netinet/in.h>
#include <bpf/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/core/abi_packets.h"
#include "common/core/abi_workers.h"
#include "common/core/address.h"
#include "common/core/checksum.h"
#include "common/core/schedulers/workers.h"
#include "common/kernel/kernel.h"

/* While nothing waits, and while something does. */
static const struct timeval seldom = {0, 100 * 1000};
static const struct timeval often = {0, 20 * 1000};

#define AT_ONCE 64 /* requests that are sent in one go */

struct served_pool {
	__u32 id; /* struct service.id */
	__be16 release;
	struct workers_pool pool;
	struct addr backends[MAX_POOL_MEMBERS]; /* that get requests */
	__u32 count;
};

struct frame {
	__u8 bytes[ETH_HLEN + QUEUED_MOST];
};

static struct done message_of(const struct served_pool *pool)
{
	struct done done = {.magic = bpf_htonl(SERVE_MAGIC)};

	memcpy(done.key, pool->pool.key, sizeof(done.key));
	return done;
}

static size_t header_v4(__u8 *at, const struct addr *from,
			const struct addr *to)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.ttl = 64,
		.protocol = IPPROTO_UDP,
		.tot_len = bpf_htons(QUEUED_MOST),
		.saddr = from->w[3],
		.daddr = to->w[3],
	};
	__u16 words[sizeof(ip) / 2];
	__u64 sum = 0;
	size_t i;

	memcpy(words, &ip, sizeof(ip));
	for (i = 0; i < sizeof(ip) / 2; i++)
		sum += words[i];
	ip.check = (FORCE __sum16)(__u16)~checksum_fold64(sum);
	memcpy(at, &ip, sizeof(ip));
	return sizeof(ip);
}

static size_t header_v6(__u8 *at, const struct addr *from,
			const struct addr *to)
{
	struct ipv6hdr ip = {
		.version = 6,
		.hop_limit = 64,
		.nexthdr = IPPROTO_UDP,
		.payload_len = bpf_htons(QUEUED_MOST - sizeof(ip)),
	};

	memcpy(&ip.saddr, from, sizeof(ip.saddr));
	memcpy(&ip.daddr, to, sizeof(ip.daddr));
	memcpy(at, &ip, sizeof(ip));
	return sizeof(ip);
}

/* From a backend, as servers' messages are. The program looks at no checksum.
 */
static void frame_fill(struct frame *frame, const struct interface *in,
		       const struct served_pool *pool, const struct addr *from,
		       const struct addr *to)
{
	const bool is_v4 = addr_is_v4(from);
	const struct done done = message_of(pool);
	struct udphdr udp = {.source = pool->release, .dest = pool->release};
	struct ethhdr eth = {.h_proto =
				     bpf_htons(is_v4 ? ETH_P_IP : ETH_P_IPV6)};
	__u8 *at = frame->bytes;

	memset(frame, 0, sizeof(*frame));
	memcpy(eth.h_dest, in->mac, ETH_ALEN);
	memcpy(eth.h_source, in->mac, ETH_ALEN);
	memcpy(at, &eth, sizeof(eth));
	at += sizeof(eth);
	at += is_v4 ? header_v4(at, from, to) : header_v6(at, from, to);
	udp.len = bpf_htons((__u16)(frame->bytes + sizeof(frame->bytes) - at));
	memcpy(at, &udp, sizeof(udp));
	memcpy(at + sizeof(udp), &done, sizeof(done));
}

/* fd of a program that passes everything up, or -1. */
static int pass_open(struct serving *serving)
{
	static const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};

	if (!serving->pass)
		serving->pass = bpf_prog_load(BPF_PROG_TYPE_XDP, "lbr_pass",
					      "GPL", pass, 2, NULL);
	if (serving->pass < 0)
		serving->pass = 0;
	return serving->pass ?: -1;
}

static int frame_run(struct serving *serving, const struct attachment *on,
		     struct frame *frame)
{
	struct xdp_md context = {.data_end = sizeof(*frame),
				 .ingress_ifindex = (__u32)on->ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame,
		    .data_size_in = sizeof(*frame), .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .repeat = 1,
		    .batch_size = 1, .flags = BPF_F_TEST_XDP_LIVE_FRAMES);
	int program =
		on->mode == MODE_NATIVE ? on->old_program : pass_open(serving);

	/* Once each: the kernel would run it on what has become of it. */
	return program < 0 ? -1 : bpf_prog_test_run_opts(program, &options);
}

static __u64 queued(const struct serving *serving,
		    const struct served_pool *pool)
{
	struct pool_state state = {0};

	bpf_map_lookup_elem(serving->maps.states, &pool->id, &state);
	return state.queued;
}

/* How many threads are free; *where: of which backend, too. */
static __u32 free_threads(const struct serving *serving,
			  const struct served_pool *pool, __u64 now,
			  struct addr *where)
{
	struct workers workers;
	__u32 i, free, all = 0;

	for (i = 0; i < pool->count; i++) {
		const struct workers_key key = {pool->backends[i], pool->id};

		if (bpf_map_lookup_elem(serving->maps.workers, &key, &workers))
			continue;
		free = workers_free(&workers, pool->pool.threads, now);
		if (free)
			*where = pool->backends[i];
		all += free;
	}
	return all;
}

/* An own address of this family, of the interface if it has one. */
static bool own_address(const struct kernel *kernel, const struct interface *in,
			bool is_v4, struct addr *own)
{
	int map = kernel_map(kernel, "own_addresses");
	struct addr *last = NULL;
	bool is_found = in->own[!is_v4].w[3] != 0;

	*own = in->own[!is_v4];
	while (!is_found && map >= 0 && !bpf_map_get_next_key(map, last, own)) {
		last = own;
		is_found = addr_is_v4(own) == is_v4;
	}
	if (map >= 0)
		close(map);
	return is_found;
}

/* The row of an attached interface. */
static bool interface_read(const struct kernel *kernel, int ifindex,
			   struct interface *in)
{
	int map = kernel_map(kernel, "interfaces");
	bool is_found = false;
	__u32 i;

	for (i = 0; map >= 0 && !is_found; i++) {
		if (bpf_map_lookup_elem(map, &i, in) || !in->ifindex)
			break;
		is_found = in->ifindex == (__u32)ifindex;
	}
	if (map >= 0)
		close(map);
	return is_found;
}

/* Sends up to `count` requests by one interface. */
static void serve_by(struct serving *serving, const struct kernel *kernel,
		     const struct attachment *on,
		     const struct served_pool *pool, const struct addr *backend,
		     __u32 count)
{
	struct interface in;
	struct frame frame;
	struct addr own;

	if (!interface_read(kernel, on->ifindex, &in) ||
	    !own_address(kernel, &in, addr_is_v4(backend), &own))
		return;
	frame_fill(&frame, &in, pool, backend, &own);
	while (count-- > 0) {
		if (frame_run(serving, on, &frame))
			break;
	}
}

/* By the first interface by which it works. */
static void serve(struct serving *serving, const struct kernel *kernel,
		  const struct served_pool *pool, const struct addr *backend,
		  __u32 count)
{
	__u64 before = queued(serving, pool);
	int i;

	for (i = 0; i < kernel->attachment_count; i++) {
		serve_by(serving, kernel, &kernel->attachments[i], pool,
			 backend, count);
		if (queued(serving, pool) < before)
			break;
	}
}

/* Requests wait. False: they were to leave, and none has. */
static bool look_at(struct serving *serving, const struct kernel *kernel,
		    const struct served_pool *pool)
{
	__u64 before = queued(serving, pool), now;
	struct addr backend;
	__u32 free;

	if (jiffies_now(kernel, &now))
		return false;
	free = free_threads(serving, pool, now, &backend);
	if (!free)
		return true;
	if (free > before)
		free = (__u32)before;
	serve(serving, kernel, pool, &backend, free < AT_ONCE ? free : AT_ONCE);
	return queued(serving, pool) < before;
}

static bool look_at_all(struct serving *serving)
{
	struct fault ignored;
	struct kernel kernel;
	bool is_good = false;
	size_t i;

	if (!kernel_open(&kernel, serving->role, ACCESS_READ, &ignored) &&
	    !kernel_attachments(&kernel, &ignored)) {
		for (i = 0; i < serving->count; i++) {
			if (queued(serving, &serving->pools[i]))
				is_good |= look_at(serving, &kernel,
						   &serving->pools[i]);
		}
	}
	kernel_close(&kernel);
	return is_good;
}

static void look(evutil_socket_t fd, short what, void *data)
{
	struct serving *serving = data;
	bool waits = false;
	size_t i;

	(void)fd;
	(void)what;
	for (i = 0; i < serving->count && !waits; i++)
		waits = queued(serving, &serving->pools[i]) != 0;
	event_add(serving->event,
		  waits && look_at_all(serving) ? &often : &seldom);
}

int serving_start(struct serving *serving, struct event_base *base)
{
	serving->event = evtimer_new(base, look, serving);
	return serving->event ? 0 : -1;
}

void serving_rest(struct serving *serving)
{
	if (serving->event)
		event_del(serving->event);
	if (serving->is_open)
		pool_maps_close(&serving->maps);
	free(serving->pools);
	serving->is_open = false;
	serving->pools = NULL;
	serving->count = 0;
}

/* False: its rows are not there. */
static bool pool_add(struct serving *serving, const struct running *running,
		     const struct config_service *from, __u32 generation)
{
	struct served_pool *pool = &serving->pools[serving->count];
	const struct running_service *service =
		running_service_for(running, from);
	struct pool_key key = {.generation = generation};
	size_t i, end;

	if (!service)
		return false;
	*pool = (struct served_pool){.id = service->service.id,
				     .release = from->release};
	key.service = pool->id;
	if (bpf_map_lookup_elem(serving->maps.pools, &key, &pool->pool))
		return false;
	running_range(running, pool->id, &i, &end);
	for (; i < end && pool->count < MAX_POOL_MEMBERS; i++) {
		if (running->by_address[i]->state == BACKEND_ACTIVE)
			pool->backends[pool->count++] =
				running->by_address[i]->address;
	}
	return true;
}

void serving_follow(struct serving *serving, const struct config *config,
		    const struct running *running)
{
	const struct config_service *from = config->services;
	struct fault ignored;
	struct kernel kernel;
	size_t i;

	serving_rest(serving);
	if (!running->generation.releases)
		return;
	serving->pools = calloc(config->service_count, sizeof(*serving->pools));
	if (!kernel_open(&kernel, serving->role, ACCESS_READ, &ignored)) {
		serving->is_open = !pool_maps_open(&serving->maps, &kernel);
		if (!serving->is_open)
			pool_maps_close(&serving->maps);
	}
	for (i = 0;
	     serving->is_open && serving->pools && i < config->service_count;
	     i++, from++) {
		if (from->scheduler == SCHEDULER_WORKERS &&
		    pool_add(serving, running, from,
			     generation_current(&kernel)))
			serving->count++;
	}
	kernel_close(&kernel);
	if (serving->count)
		event_add(serving->event, &seldom);
}

void serving_stop(struct serving *serving)
{
	serving_rest(serving);
	if (serving->event)
		event_free(serving->event);
	if (serving->pass)
		close(serving->pass);
	serving->event = NULL;
	serving->pass = 0;
}
