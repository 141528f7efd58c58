// SPDX-License-Identifier: GPL-2.0-only
#include "Backend/health/heartbeats.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "Backend/generation/generation.h"
#include "common/base/address.h"
#include "common/base/elapsed.h"
#include "common/config/health.h"
#include "common/core/address.h"
#include "common/heartbeat/multicast.h"
#include "common/kernel/kernel.h"

#define AT_ONCE	    16	   /* datagrams; the rest of a heartbeat comes later */
#define LEAST_APART 100000 /* microseconds between two heartbeats */
#define FLOWS_SHARE 20 /* of the time, counting flows takes a 20th at most */
/* One heartbeat may fall into an `up`. */
#define DOWN_FOR 2

static const struct timeval moment = {0, 10000};

static void say_once(struct bkd_heartbeats *heartbeats, const struct fault *is)
{
	if (strcmp(heartbeats->said.cause, is->cause))
		fault_warn(is);
	heartbeats->said = *is;
}

/* How busy the CPUs were since the last call, per mille: proc_stat(5). */
static void cpu_read(struct bkd_heartbeats *heartbeats)
{
	unsigned long long t[8] = {0}, busy, ticks = 0;
	FILE *file = fopen("/proc/stat", "re");
	int i, count = 0;

	if (file) {
		count = fscanf(
			file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu",
			&t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]);
		fclose(file);
	}
	for (i = 0; i < count; i++)
		ticks += t[i];
	busy = ticks - t[3] - t[4]; /* idle, waiting for disks */
	if (heartbeats->ticks && ticks > heartbeats->ticks &&
	    busy >= heartbeats->busy)
		heartbeats->cpu = (__u16)(1000 * (busy - heartbeats->busy) /
					  (ticks - heartbeats->ticks));
	heartbeats->busy = busy;
	heartbeats->ticks = ticks;
}

/* Also notes whether xdp_bkd is up. */
static void flows_read(struct bkd_heartbeats *heartbeats)
{
	struct locals *locals = &heartbeats->locals;
	double began = seconds_now();
	struct fault ignored;
	size_t i;
	int rc;

	if (began < heartbeats->flows_next)
		return;
	rc = local_flows_read(heartbeats->role, locals, &ignored);
	heartbeats->down_for =
		rc == KERNEL_NOT_UP ? heartbeats->down_for + 1 : 0;
	heartbeats->flows = heartbeats->moved = 0;
	for (i = 0; i < locals->count; i++) {
		heartbeats->flows += locals->rows[i]->flows;
		heartbeats->moved += locals->rows[i]->moved;
	}
	heartbeats->flows_next = began + FLOWS_SHARE * (seconds_now() - began);
}

static void head_write(struct bkd_heartbeats *heartbeats,
		       struct heartbeat *heartbeat)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	*heartbeat = (struct heartbeat){
		.instance = heartbeats->instance,
		.sequence = ++heartbeats->sequence,
		.time = (__u64)now.tv_sec * 1000000 + (__u64)now.tv_nsec / 1000,
		.host = heartbeats->key.address,
		.interval = heartbeats->interval,
		.flows = heartbeats->flows,
		.moved = heartbeats->moved,
		.cpu = heartbeats->cpu,
	};
	memcpy(heartbeat->digest, heartbeats->digest,
	       sizeof(heartbeat->digest));
}

static void services_write(struct bkd_heartbeats *heartbeats,
			   struct heartbeat *heartbeat)
{
	const struct locals *locals = &heartbeats->locals;
	struct heartbeat_service *service = heartbeat->services;

	while (heartbeat->count < HEARTBEAT_SERVICES &&
	       heartbeats->next_row < locals->count) {
		local_say(locals->rows[heartbeats->next_row++], service);
		if (heartbeats->down_for >= DOWN_FOR) {
			service->state = HEARTBEAT_BAD;
			snprintf(service->why, sizeof(service->why),
				 "xdp_bkd is not up there");
		}
		service++;
		heartbeat->count++;
	}
}

/* 0, or -1 with a fault: it left by no interface. */
static int send_to(struct bkd_heartbeats *heartbeats, const struct addr *to,
		   const __u8 *datagram, size_t length, struct fault *fault_out)
{
	int fd = heartbeats->fds[!addr_is_v4(to)], i, sent = 0;
	int count = addr_is_group(to) ? heartbeats->ifindex_count : 1;
	char text[INET6_ADDRSTRLEN];

	errno = ENODEV;
	for (i = 0; i < count; i++)
		sent += !heartbeat_send(fd, datagram, length, to,
					heartbeats->port,
					heartbeats->ifindexes[i]);
	if (sent)
		return 0;
	return fault(fault_out, "cannot send a heartbeat to %s: %s",
		     addr_text(to, text), strerror(errno));
}

/*
 * 0, or -1 with a fault: none was sent, or one not to where the file says. Of
 * the two default groups, a host may be able to reach only one.
 */
static int send_all(struct bkd_heartbeats *heartbeats, const __u8 *datagram,
		    size_t length, struct fault *fault_out)
{
	int i, failed = 0;

	for (i = 0; i < heartbeats->target_count; i++)
		failed += send_to(heartbeats, &heartbeats->targets[i], datagram,
				  length, fault_out) != 0;
	return failed && (heartbeats->are_named ||
			  failed == heartbeats->target_count)
		       ? -1
		       : 0;
}

static void more(evutil_socket_t fd, short what, void *data)
{
	struct bkd_heartbeats *heartbeats = data;
	__u8 datagram[HEARTBEAT_MOST];
	struct heartbeat heartbeat;
	struct fault said = {0};
	int left = AT_ONCE, rc = 0;
	size_t length;

	(void)fd;
	(void)what;
	do {
		head_write(heartbeats, &heartbeat);
		services_write(heartbeats, &heartbeat);
		length = heartbeat_build(&heartbeat, heartbeats->key.keys[0],
					 datagram);
		rc |= length ? send_all(heartbeats, datagram, length, &said)
			     : fault(&said, "cannot sign a heartbeat: no "
					    "memory");
	} while (heartbeats->next_row < heartbeats->locals.count && --left);
	if (rc)
		say_once(heartbeats, &said);
	else
		memset(&heartbeats->said, 0, sizeof(heartbeats->said));
	if (heartbeats->next_row < heartbeats->locals.count)
		event_add(heartbeats->more, &moment);
}

static void key_find(struct bkd_heartbeats *heartbeats, const char *path)
{
	const struct heartbeat_keys *keys = &heartbeats->keys;
	const struct addr *own = heartbeats->own;
	struct fault said = {0};
	size_t i;

	heartbeats->key = (struct heartbeat_key){0};
	for (i = 0; i < keys->count && !heartbeats->key.count; i++) {
		if (is_own(&keys->rows[i].address, own, heartbeats->own_count))
			heartbeats->key = keys->rows[i];
	}
	if (heartbeats->key.count || !keys->count)
		return;
	fault(&said, "cannot send heartbeats: %s has no address of this host",
	      path);
	fault_hint(&said, "bkd doctor");
	say_once(heartbeats, &said);
}

static void key_follow(struct bkd_heartbeats *heartbeats)
{
	char path[HEARTBEAT_PATH];
	struct fault said = {0};
	int rc;

	heartbeat_keys_path(heartbeats->file, path);
	rc = heartbeat_keys_follow(path, &heartbeats->keys, &said);
	if (rc < 0)
		fault_warn(&said);
	if (rc > 0 || !heartbeats->key.count)
		key_find(heartbeats, path);
}

static void send_now(evutil_socket_t fd, short what, void *data)
{
	struct bkd_heartbeats *heartbeats = data;
	struct timeval next = {heartbeats->interval / 1000,
			       heartbeats->interval % 1000 * 1000};

	event_add(heartbeats->send, &next);
	key_follow(heartbeats);
	if (!heartbeats->key.count)
		return;
	cpu_read(heartbeats);
	flows_read(heartbeats);
	heartbeats->sent_at = microseconds_now();
	heartbeats->next_row = 0;
	more(fd, what, heartbeats);
}

/* A finding has changed: it is not for the next heartbeat. */
static void changed(void *data)
{
	struct bkd_heartbeats *heartbeats = data;
	__u64 passed = microseconds_now() - heartbeats->sent_at;
	struct timeval soon = moment;

	if (passed < LEAST_APART)
		soon.tv_usec = (suseconds_t)(LEAST_APART - passed);
	if (heartbeats->locals.count)
		event_add(heartbeats->send, &soon);
}

int bkd_heartbeats_start(struct bkd_heartbeats *heartbeats,
			 struct event_base *base, struct fault *fault_out)
{
	struct bkd_heartbeats *all = heartbeats;

	all->base = base;
	all->locals.prober = (struct prober){.base = base, .agent = "bkd"};
	all->locals.changed = changed;
	all->locals.data = all;
	all->fds[0] = heartbeat_socket(AF_INET);
	all->fds[1] = heartbeat_socket(AF_INET6); /* -1: none here */
	all->send = evtimer_new(base, send_now, all);
	all->more = evtimer_new(base, more, all);
	/* Up to 256 bytes are never cut short (random(4)). */
	if (getrandom(&all->instance, sizeof(all->instance), 0) < 0 ||
	    !all->send || !all->more || all->fds[0] < 0)
		return fault(fault_out, "cannot begin heartbeats: %s",
			     strerror(errno));
	all->instance |= !all->instance;
	srandom((unsigned int)all->instance);
	return 0;
}

static int own_keep(struct bkd_heartbeats *heartbeats, const struct addr *own,
		    int count)
{
	struct addr *copy = malloc(((size_t)count + 1) * sizeof(*copy));

	if (!copy)
		return -1;
	memcpy(copy, own, (size_t)count * sizeof(*copy));
	if (count != heartbeats->own_count ||
	    memcmp(copy, heartbeats->own, (size_t)count * sizeof(*copy)))
		heartbeats->key.count = 0;
	free(heartbeats->own);
	heartbeats->own = copy;
	heartbeats->own_count = count;
	return 0;
}

int bkd_heartbeats_sync(struct bkd_heartbeats *heartbeats,
			const struct config *config, const struct addr *own,
			int own_count, struct fault *fault_out)
{
	if (own_keep(heartbeats, own, own_count) ||
	    locals_sync(&heartbeats->locals, config, own, own_count, fault_out))
		return -1;
	heartbeats->target_count =
		heartbeat_targets(config, heartbeats->targets);
	heartbeats->are_named = config->heartbeat_to_count;
	heartbeats->port = config->heartbeat_port;
	heartbeats->interval = config->heartbeat_interval;
	memcpy(heartbeats->digest, config->digest, sizeof(config->digest));
	if (!heartbeats->locals.count) {
		event_del(heartbeats->send);
		event_del(heartbeats->more);
		return 0;
	}
	heartbeats->ifindex_count =
		heartbeat_interfaces(config, heartbeats->ifindexes, fault_out);
	if (!evtimer_pending(heartbeats->send, NULL))
		event_add(heartbeats->send, &moment);
	return heartbeats->ifindex_count < 0 ? -1 : 0;
}

void bkd_heartbeats_stop(struct bkd_heartbeats *heartbeats)
{
	struct bkd_heartbeats *all = heartbeats;
	int i;

	locals_stop(&all->locals);
	SSL_CTX_free(all->locals.prober.tls);
	stalls_free(&all->locals.prober.stalls);
	if (all->send)
		event_free(all->send);
	if (all->more)
		event_free(all->more);
	for (i = 0; all->base && i < 2; i++) {
		if (all->fds[i] >= 0)
			close(all->fds[i]);
	}
	heartbeat_keys_free(&all->keys);
	explicit_bzero(&all->key, sizeof(all->key));
	free(all->own);
}
