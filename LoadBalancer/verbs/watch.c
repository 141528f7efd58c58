// SPDX-License-Identifier: GPL-2.0-only
/*
 * watch.c - whole decisions, as they are made
 *
 * xdp_lbr writes them into a ring buffer while the word of the trace says that
 * somebody watches, and for two seconds from when he last said so: one that is
 * killed leaves nothing behind that costs.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "LoadBalancer/generation/read.h"
#include "LoadBalancer/verbs/explain.h"
#include "LoadBalancer/verbs/verbs.h"
#include "common/base/address.h"
#include "common/base/reason.h"
#include "common/cli/cli.h"
#include "common/cli/output.h"
#include "common/cli/report.h"
#include "common/core/address.h"
#include "common/core/reason.h"

#define SECONDS 2

/* What is to be seen of all; nothing set: all. */
struct filter {
	int reason; /* -1: any */
	bool by_address;
	struct addr address;
	__be16 port;   /* 0: any */
	__u8 protocol; /* 0: any */
};

struct watcher {
	const struct role *role;
	struct filter filter;
	struct running running;
	bool json;
	bool is_deaf; /* nobody reads what is printed */
	bool is_late; /* what is there was for somebody before */
	struct ring_buffer *ring;
	int until;  /* fd of the map `watch` */
	__u64 lost; /* before this watcher came */
};

static volatile sig_atomic_t stopped;

static void stop(int unused)
{
	(void)unused;
	stopped = 1;
}

/* "192.0.2.1", "192.0.2.1:80/tcp", or a reason. Returns 0 or -1. */
static int filter_parse(const char *text, struct filter *filter)
{
	char word[64];
	int protocol;

	memset(filter, 0, sizeof(*filter));
	filter->reason = text ? reason_find(text) : -1;
	if (!text || filter->reason >= 0)
		return 0;
	filter->by_address = true;
	snprintf(word, sizeof(word), "%s", text);
	protocol = protocol_cut(word);
	if (protocol < 0)
		return -1;
	filter->protocol = (__u8)protocol;
	if (!addr_parse(word, &filter->address))
		return 0;
	return endpoint_parse(word, &filter->address, &filter->port);
}

static bool is_end(const struct filter *filter, const struct addr *address,
		   __be16 port)
{
	return addr_equal(&filter->address, address) &&
	       (!filter->port || filter->port == port);
}

static bool is_wanted(const struct filter *filter, const struct record *record)
{
	if (filter->reason >= 0)
		return record->reason == filter->reason;
	if (!filter->by_address)
		return true;
	if (filter->protocol && filter->protocol != record->protocol)
		return false;
	return is_end(filter, &record->source, record->source_port) ||
	       is_end(filter, &record->destination, record->port) ||
	       (record->flags & RECORD_BACKEND &&
		is_end(filter, &record->backend, record->port));
}

/* So that services and backends have their names. */
static int running_again(struct watcher *watcher, const struct kernel *kernel,
			 struct fault *fault_out)
{
	if (watcher->running.backends)
		running_free(&watcher->running);
	memset(&watcher->running, 0, sizeof(watcher->running));
	return running_read(kernel, generation_current(kernel),
			    &watcher->running, fault_out);
}

/* Two seconds more. Fails where there is nothing left to be watched. */
static int renew(struct watcher *watcher, struct fault *fault_out)
{
	struct generation now_is;
	struct kernel kernel;
	__u32 key = WATCH_UNTIL;
	__u64 now;
	int rc = kernel_open(&kernel, watcher->role, ACCESS_READ, fault_out);

	if (!rc && !jiffies_now(&kernel, &now)) {
		now += jiffies_of(SECONDS * 1000);
		bpf_map_update_elem(watcher->until, &key, &now, BPF_ANY);
	}
	if (!rc &&
	    !generation_read(&kernel, generation_current(&kernel), &now_is) &&
	    now_is.number != watcher->running.generation.number)
		rc = running_again(watcher, &kernel, fault_out);
	/* For the next time. */
	if (kernel_changed(&kernel))
		watcher->running.generation.number = 0;
	kernel_close(&kernel);
	return rc ? -1 : 0;
}

static int tell(void *data, void *bytes, size_t size)
{
	struct watcher *watcher = data;
	const struct record *record = bytes;
	struct fault ignored;
	json_t *root;

	if (watcher->is_late || size < sizeof(*record) ||
	    !is_wanted(&watcher->filter, record))
		return 0;
	if (record->generation > watcher->running.generation.number)
		renew(watcher, &ignored);
	root = record_object(record, &watcher->running);
	if (!watcher->json)
		json_object_del(root, "meaning");
	watcher->is_deaf = output_print_one(root, watcher->json);
	return watcher->is_deaf ? -1 : 0;
}

static int watch_loop(struct watcher *watcher, struct fault *fault_out)
{
	time_t renewed = time(NULL);
	int rc = 0;

	while (!stopped && !watcher->is_deaf && !rc) {
		ring_buffer__poll(watcher->ring, 500);
		if (time(NULL) == renewed)
			continue;
		renewed = time(NULL);
		rc = renew(watcher, fault_out);
	}
	return rc;
}

/* The ring buffer, empty. */
static int ring_open(struct watcher *watcher, int watched)
{
	watcher->ring = ring_buffer__new(watched, tell, watcher, NULL);
	if (!watcher->ring)
		return -1;
	watcher->is_late = true;
	ring_buffer__consume(watcher->ring);
	watcher->is_late = false;
	return 0;
}

static __u64 watch_get(const struct watcher *watcher, enum watch key)
{
	__u32 at = key;
	__u64 value = 0;

	bpf_map_lookup_elem(watcher->until, &at, &value);
	return value;
}

/* The bit in the word of the trace, on or off; the rest as it is. */
static int watched_set(struct kernel *kernel, bool on)
{
	__u32 word = control_get(kernel, CONTROL_TRACE);

	return control_set(kernel, CONTROL_TRACE,
			   on ? word | TRACE_WATCHED : word & ~TRACE_WATCHED);
}

/* Says that somebody watches. */
static int watch_begin(struct watcher *watcher, struct fault *fault_out)
{
	struct kernel kernel;
	int watched;
	__u64 now;
	int rc = kernel_open(&kernel, watcher->role, ACCESS_CHANGE, fault_out);

	if (!rc) {
		watcher->until = kernel_map(&kernel, "watch");
		watched = kernel_map(&kernel, "watched");
		watcher->lost = watch_get(watcher, WATCH_LOST);
		if (watcher->until < 0 || watched < 0 ||
		    jiffies_now(&kernel, &now))
			rc = fault(fault_out,
				   "cannot watch: what runs is of another "
				   "build");
		else if (control_get(&kernel, CONTROL_TRACE) & TRACE_WATCHED &&
			 watch_get(watcher, WATCH_UNTIL) > now)
			rc = fault(fault_out,
				   "cannot watch: somebody does already");
		else if (ring_open(watcher, watched) ||
			 watched_set(&kernel, true))
			rc = fault(fault_out, "cannot watch: %s",
				   strerror(errno));
	}
	kernel_close(&kernel);
	return rc ? -1 : renew(watcher, fault_out);
}

static void watch_end(struct watcher *watcher)
{
	struct fault ignored;
	struct kernel kernel;
	__u64 lost;

	if (!kernel_open(&kernel, watcher->role, ACCESS_CHANGE, &ignored))
		watched_set(&kernel, false);
	kernel_close(&kernel);
	if (!watcher->is_deaf)
		ring_buffer__consume(watcher->ring);
	lost = watch_get(watcher, WATCH_LOST) - watcher->lost;
	if (lost)
		fprintf(stderr,
			"%s: %llu decisions were not seen: too many at once\n",
			watcher->role->name, (unsigned long long)lost);
}

int verb_watch(const struct role *role, const struct options *options)
{
	struct watcher watcher = {
		.role = role, .json = options->json, .until = -1};
	struct fault fault_is = {0};
	int rc;

	if (filter_parse(options->argument, &watcher.filter)) {
		fault(&fault_is,
		      "cannot watch '%s': neither an address nor a reason",
		      options->argument);
		fault_hint(&fault_is,
			   "lbr watch 192.168.25.10:80/tcp; or of: lbr show "
			   "-a reasons");
		return cli_failed(role, &fault_is);
	}
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	rc = watch_begin(&watcher, &fault_is);
	if (!rc) {
		rc = watch_loop(&watcher, &fault_is);
		watch_end(&watcher);
	}
	ring_buffer__free(watcher.ring);
	if (watcher.running.backends)
		running_free(&watcher.running);
	return rc ? cli_failed(role, &fault_is) : EXIT_DONE;
}
