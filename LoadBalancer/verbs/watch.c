// SPDX-License-Identifier: GPL-2.0-only
/*
 * watch.c - whole decisions, as they are made
 *
 * A bit in the control value of the trace says that somebody watches. While it
 * is set, xdp_lbr compares each decision with the filters in the map `watch`,
 * and writes it into the ring buffer of each watcher that wants it. A watcher's
 * row expires two seconds after it was last renewed. When all rows have
 * expired, xdp_lbr clears the bit, so a killed watcher costs packets nothing.
 * The next watcher frees its ring buffer (1 MiB), and need not wait until its
 * row has expired: each watcher holds a lock that ends with its process.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "LoadBalancer/generation/read.h"
#include "LoadBalancer/verbs/explain.h"
#include "LoadBalancer/verbs/verbs.h"
#include "LoadBalancer/verbs/watch_life.h"
#include "common/base/address.h"
#include "common/base/elapsed.h"
#include "common/base/reason.h"
#include "common/cli/cli.h"
#include "common/cli/output.h"
#include "common/cli/report.h"
#include "common/core/abi_services.h"
#include "common/core/address.h"
#include "common/core/reason.h"

#define RENEWED 2 /* seconds for which a row holds */

struct watcher {
	const struct role *role;
	struct watch wanted;
	struct running running;
	bool json;
	bool is_deaf; /* nobody reads what is printed */
	struct ring_buffer *ring;
	__u32 index;		/* its place among the watchers */
	__u32 id;		/* of its ring buffer */
	int own;		/* fd of its ring buffer ... */
	int life;		/* ... and of what says that it is alive */
	int rows, rings, count; /* of the maps; -1: not open */
	__u64 lost;		/* before this watcher came */
};

static volatile sig_atomic_t stopped;

static void stop(int unused)
{
	(void)unused;
	stopped = 1;
}

/* "192.0.2.1", "192.0.2.1:80/tcp", or a reason. Returns 0 or -1. */
static int filter_parse(const char *text, struct watch *wanted)
{
	int protocol, reason = text ? reason_find(text) : -1;
	char endpoint[64];

	if (!text)
		return 0;
	if (reason >= 0) {
		wanted->filter = WATCH_REASON;
		wanted->reason = (__u8)reason;
		return 0;
	}
	wanted->filter = WATCH_END;
	snprintf(endpoint, sizeof(endpoint), "%s", text);
	protocol = protocol_cut(endpoint);
	if (protocol < 0)
		return -1;
	wanted->protocol = (__u8)protocol;
	if (!addr_parse(endpoint, &wanted->address))
		return 0;
	return endpoint_parse(endpoint, &wanted->address, &wanted->port);
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

/* The bit in the value of CONTROL_TRACE, on or off; the rest as it is. */
static int watched_set(struct kernel *kernel, bool on)
{
	__u32 value = control_get(kernel, CONTROL_TRACE);
	__u32 wanted = on ? value | TRACE_WATCHED : value & ~TRACE_WATCHED;

	return wanted == value ? 0 : control_set(kernel, CONTROL_TRACE, wanted);
}

/* Has the watcher's process ended? If that cannot be seen: no. */
static bool is_dead(const struct watcher *watcher, __u32 index)
{
	__u32 id;

	if (bpf_map_lookup_elem(watcher->rings, &index, &id))
		return errno == ENOENT;
	return life_is_over(watcher->role, id);
}

/* Frees what the watcher with this index has, or left. */
static void index_free(const struct watcher *watcher, __u32 index)
{
	__u32 id;

	if (bpf_map_lookup_elem(watcher->rings, &index, &id))
		return;
	life_end(watcher->role, id);
	bpf_map_delete_elem(watcher->rings, &index);
}

/* Is there a watcher with this index, at `now`? */
static bool is_watched(const struct watcher *watcher, __u32 index, __u64 now)
{
	struct watch row = {0};

	bpf_map_lookup_elem(watcher->rows, &index, &row);
	return row.until >= now && !is_dead(watcher, index);
}

/* Extends the watcher's row by two seconds. */
static int row_renew(struct watcher *watcher, struct kernel *kernel,
		     struct fault *fault_out)
{
	__u32 id = 0;
	__u64 now;

	if (bpf_map_lookup_elem(watcher->rings, &watcher->index, &id) ||
	    id != watcher->id)
		return fault(fault_out,
			     "cannot watch any longer: stopped for %d s, and "
			     "another took its place",
			     RENEWED);
	if (jiffies_now(kernel, &now))
		return fault(fault_out, "cannot read the kernel's clock: %s",
			     strerror(errno));
	watcher->wanted.until = now + jiffies_of(RENEWED * 1000);
	if (bpf_map_update_elem(watcher->rows, &watcher->index,
				&watcher->wanted, BPF_ANY) ||
	    watched_set(kernel, true))
		return fault(fault_out, "cannot watch: %s", strerror(errno));
	return 0;
}

/* Goes on for two seconds. Fails if there is nothing to watch any more. */
static int renew(struct watcher *watcher, struct fault *fault_out)
{
	struct generation now_is;
	struct kernel kernel;
	int rc = kernel_open(&kernel, watcher->role, ACCESS_READ, fault_out);

	if (!rc)
		rc = row_renew(watcher, &kernel, fault_out);
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

	if (size < sizeof(*record))
		return 0;
	if (record->generation > watcher->running.generation.number)
		renew(watcher, &ignored);
	root = watcher->json ? record_json(record, &watcher->running)
			     : record_lines(record, &watcher->running);
	if (!watcher->json)
		json_object_del(root, "meaning");
	watcher->is_deaf = output_print_one(root, watcher->json);
	return watcher->is_deaf ? -1 : 0;
}

static int watch_loop(struct watcher *watcher, struct fault *fault_out)
{
	long renewed = milliseconds_now();
	int rc = 0;

	while (!stopped && !watcher->is_deaf && !rc) {
		ring_buffer__poll(watcher->ring, 500);
		if (milliseconds_now() - renewed < 500)
			continue;
		renewed = milliseconds_now();
		rc = renew(watcher, fault_out);
	}
	return rc;
}

/* The decisions for which ring buffers of this index had no room. */
static __u64 lost_read(const struct watcher *watcher)
{
	__u64 lost = 0;

	bpf_map_lookup_elem(watcher->count, &watcher->index, &lost);
	return lost;
}

/*
 * Finds a free index, and frees what killed watchers left. 0, or -1: none is
 * free.
 */
static int index_take(struct watcher *watcher, __u64 now)
{
	bool found = false;
	__u32 i;

	for (i = 0; i < WATCHERS; i++) {
		if (is_watched(watcher, i, now))
			continue;
		index_free(watcher, i);
		if (!found)
			watcher->index = i;
		found = true;
	}
	return found ? 0 : -1;
}

/*
 * Puts the filter and then the ring buffer at the watcher's index. The order
 * matters: xdp_lbr must not meet the ring buffer with another filter. 0, or -1
 * with errno.
 */
static int watcher_add(struct watcher *watcher)
{
	struct bpf_map_info info = {0};
	__u32 length = sizeof(info);

	watcher->own = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "watched", 0, 0,
				      WATCH_BYTES, NULL);
	if (watcher->own < 0 ||
	    bpf_obj_get_info_by_fd(watcher->own, &info, &length))
		return -1;
	watcher->id = info.id;
	watcher->life = life_begin(watcher->role, info.id);
	if (watcher->life < 0)
		return -1;
	watcher->lost = lost_read(watcher);
	watcher->ring = ring_buffer__new(watcher->own, tell, watcher, NULL);
	if (!watcher->ring)
		return -1;
	if (bpf_map_update_elem(watcher->rows, &watcher->index,
				&watcher->wanted, BPF_ANY))
		return -1;
	return bpf_map_update_elem(watcher->rings, &watcher->index,
				   &watcher->own, BPF_ANY);
}

/* Registers the watcher. */
static int watch_begin(struct watcher *watcher, struct fault *fault_out)
{
	struct kernel kernel;
	__u64 now;
	int rc = kernel_open(&kernel, watcher->role, ACCESS_CHANGE, fault_out);

	if (!rc) {
		watcher->rows = kernel_map(&kernel, "watch");
		watcher->rings = kernel_map(&kernel, "watched");
		watcher->count = kernel_map(&kernel, "watch_lost");
		if (watcher->rows < 0 || watcher->rings < 0 ||
		    watcher->count < 0 || jiffies_now(&kernel, &now))
			rc = fault(fault_out,
				   "cannot watch: what runs is of another "
				   "build");
		else if (index_take(watcher, now))
			rc = fault(fault_out, "cannot watch: %d others do",
				   WATCHERS);
		else if (watcher_add(watcher))
			rc = fault(fault_out, "cannot watch: %s",
				   strerror(errno));
	}
	kernel_close(&kernel);
	return rc ? -1 : renew(watcher, fault_out);
}

/* Removes the watcher's row and ring buffer, if they are still its own. */
static void watcher_remove(struct watcher *watcher, struct kernel *kernel)
{
	struct watch none = {0};
	__u32 i, id = 0;
	__u64 now;

	if (bpf_map_lookup_elem(watcher->rings, &watcher->index, &id) ||
	    id != watcher->id || jiffies_now(kernel, &now))
		return;
	bpf_map_update_elem(watcher->rows, &watcher->index, &none, BPF_ANY);
	for (i = 0; i < WATCHERS && !is_watched(watcher, i, now); i++)
		;
	if (i == WATCHERS)
		watched_set(kernel, false);
	index_free(watcher, watcher->index);
}

static void watch_end(struct watcher *watcher)
{
	struct fault ignored;
	struct kernel kernel;
	__u64 lost;

	if (!kernel_open(&kernel, watcher->role, ACCESS_CHANGE, &ignored))
		watcher_remove(watcher, &kernel);
	kernel_close(&kernel);
	if (!watcher->is_deaf)
		ring_buffer__consume(watcher->ring);
	lost = lost_read(watcher) - watcher->lost;
	if (lost)
		fprintf(stderr,
			"%s: %llu decisions were not seen: too many at once\n",
			watcher->role->name, (unsigned long long)lost);
}

static void watcher_close(const struct watcher *watcher)
{
	const int all[] = {watcher->own, watcher->life, watcher->rows,
			   watcher->rings, watcher->count};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i] >= 0)
			close(all[i]);
	}
}

int verb_watch(const struct role *role, const struct options *options)
{
	struct watcher watcher = {.role = role,
				  .json = options->json,
				  .own = -1,
				  .life = -1,
				  .rows = -1,
				  .rings = -1,
				  .count = -1};
	struct fault fault_is = {0};
	int rc;

	if (filter_parse(options->argument, &watcher.wanted)) {
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
	watcher_close(&watcher);
	if (watcher.running.backends)
		running_free(&watcher.running);
	return rc ? cli_failed(role, &fault_is) : EXIT_DONE;
}
