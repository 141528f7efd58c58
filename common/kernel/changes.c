// SPDX-License-Identifier: GPL-2.0-only
/*
 * changes.c - see changes.h
 */
#include "common/kernel/changes.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/address.h"
#include "common/base/elapsed.h"
#include "common/core/abi_packets.h"
#include "common/kernel/generation.h"

bool change_at(int map, __u32 i, struct change *change)
{
	return i < MAX_CHANGES && !bpf_map_lookup_elem(map, &i, change) &&
	       *change->kind;
}

bool change_read(const struct kernel *kernel, __u32 i, struct change *change)
{
	int map = kernel_map(kernel, "changes");
	bool is_there = map >= 0 && change_at(map, i, change);

	if (map >= 0)
		close(map);
	return is_there;
}

/*
 * Where `what` names an interface: the offset, with *name; -1: it names none.
 */
static int change_name(const char *kind, const char *what,
		       char name[IF_NAMESIZE])
{
	const char *before = "", *at = what;

	if (!strcmp(kind, "neighbour") || !strcmp(kind, "claim"))
		before = " dev ";
	else if (!strcmp(kind, "sysctl") || !strcmp(kind, "left"))
		before = strstr(what, "/neigh/") ? "/neigh/" : "/conf/";
	else if (strcmp(kind, "mode") && strcmp(kind, "waiting") &&
		 strncmp(kind, "filter", 6) && strncmp(kind, "workers-", 8))
		return -1;
	at = strstr(what, before);
	if (!at)
		return -1;
	at += strlen(before);
	snprintf(name, IF_NAMESIZE, "%.*s", (int)strcspn(at, "/"), at);
	return (int)(at - what);
}

/* `what` names another interface, or the same one by another name. */
static void change_rename(struct change *change, int at, const char *name)
{
	char rest[sizeof(change->what)];

	snprintf(rest, sizeof(rest), "%s",
		 change->what + at + strcspn(change->what + at, "/"));
	snprintf(change->what + at, sizeof(change->what) - (size_t)at, "%s%s",
		 name, rest);
}

void changes_follow(struct kernel *kernel)
{
	int map = kernel_map(kernel, "changes"), at;
	char was[IF_NAMESIZE], is[IF_NAMESIZE];
	struct change change;
	__u32 i;

	for (i = 0; map >= 0 && change_at(map, i, &change); i++) {
		at = change.ifindex ? change_name(change.kind, change.what, was)
				    : -1;
		if (at < 0)
			continue;
		if (!if_indextoname(change.ifindex, is)) {
			/* The interface that is gone was attached. */
			if (!strcmp(change.kind, "mode"))
				continue;
			change.ifindex = if_nametoindex(was);
			if (!change.ifindex)
				continue;
		} else if (strcmp(was, is)) {
			change_rename(&change, at, is);
		} else {
			continue;
		}
		bpf_map_update_elem(map, &i, &change, BPF_ANY);
	}
	if (map >= 0)
		close(map);
}

/* Writes entry `i`. Closes the map. Returns 0, or -1 with a fault. */
static int change_write(int map, __u32 i, const char *kind, const char *what,
			const char *before, struct fault *fault_out)
{
	struct change change = {0};
	char name[IF_NAMESIZE];
	int rc;

	snprintf(change.kind, sizeof(change.kind), "%s", kind);
	snprintf(change.what, sizeof(change.what), "%s", what);
	snprintf(change.before, sizeof(change.before), "%s", before);
	if (change_name(kind, what, name) >= 0)
		change.ifindex = if_nametoindex(name);
	rc = bpf_map_update_elem(map, &i, &change, BPF_ANY);
	if (rc)
		fault(fault_out,
		      "cannot note the change of %s, so it is not made: %s",
		      what,
		      i < MAX_CHANGES ? strerror(errno)
				      : "there is room for no more");
	if (map >= 0)
		close(map);
	return rc ? -1 : 0;
}

typedef bool row_check(const struct change *row, const void *data);

/*
 * The number of the first row that `is` the one, and a copy of it; without one,
 * the number of the next new row, and an empty copy. Goes through the rows in
 * mapped memory: a call for each would make thousands of VIPs take minutes.
 */
static __u32 row_find(const struct kernel *kernel, row_check *is,
		      const void *data, struct change *row)
{
	enum { WINDOW = 512 };
	int map = kernel_map(kernel, "changes");
	const struct change *rows = NULL;
	struct part part = {NULL, 0};
	__u32 i = 0, left = 0;

	memset(row, 0, sizeof(*row));
	for (; map >= 0 && i < MAX_CHANGES; i++, left--, rows++) {
		if (!left) {
			part_close(&part);
			rows = part_of(&part, map, i * sizeof(*rows),
				       WINDOW * sizeof(*rows), PROT_READ);
			left = WINDOW;
		}
		if (!rows || !*rows->kind || is(rows, data))
			break;
	}
	if (rows && i < MAX_CHANGES)
		*row = *rows;
	part_close(&part);
	if (map >= 0)
		close(map);
	return i;
}

struct named {
	const char *kind, *what;
};

static bool is_named(const struct change *row, const void *data)
{
	const struct named *named = data;

	return !strcmp(row->kind, named->kind) &&
	       !strcmp(row->what, named->what);
}

int change_note(struct kernel *kernel, const char *kind, const char *what,
		const char *before, struct fault *fault_out)
{
	const struct named named = {kind, what};
	struct change row;
	__u32 i = row_find(kernel, is_named, &named, &row);

	return *row.kind ? 0
			 : change_write(kernel_map(kernel, "changes"), i, kind,
					what, before, fault_out);
}

int change_mode(struct kernel *kernel, const char *name, bool native,
		struct fault *fault_out)
{
	int map = kernel_map(kernel, "changes");
	struct change change;
	__u32 i;

	for (i = 0; change_at(map, i, &change); i++) {
		if (!strcmp(change.kind, "mode") && !strcmp(change.what, name))
			break;
	}
	return change_write(map, i, "mode", name, native ? "native" : "generic",
			    fault_out);
}

int change_address(struct kernel *kernel, const struct addr *address,
		   struct fault *fault_out)
{
	char text[64];

	return change_note(kernel, "own", addr_text(address, text), "",
			   fault_out);
}

int change_addresses(const struct kernel *kernel, struct addr *addresses,
		     int room)
{
	int map = kernel_map(kernel, "changes"), count = 0;
	struct change change;
	__u32 i;

	if (map < 0)
		return 0;
	for (i = 0; change_at(map, i, &change) && count < room; i++) {
		if (!strcmp(change.kind, "own") &&
		    !addr_parse(change.what, &addresses[count]))
			count++;
	}
	close(map);
	return count;
}

/* Nobody has set it back since, or it is noted that somebody has. */
static bool is_past(const struct again_row *row, time_t now)
{
	return !row->at || now - row->at >= AGAIN_SECONDS;
}

/* Room for one more row. */
static bool again_grow(struct again *again, time_t now)
{
	struct again_row *rows;
	int i, count = 0;

	for (i = 0; i < again->count; i++) {
		if (!is_past(&again->rows[i], now))
			again->rows[count++] = again->rows[i];
	}
	again->count = count;
	/* Not for a few rows each time. */
	if (count < again->room / 2)
		return true;
	rows = realloc(again->rows,
		       2 * sizeof(*rows) * (size_t)(again->room ?: 32));
	if (!rows)
		return count < again->room;
	again->rows = rows;
	again->room = 2 * (again->room ?: 32);
	return true;
}

/* The row of `what`, or a new one, or NULL without memory. */
static struct again_row *again_find(struct again *again, const char *what,
				    time_t now)
{
	struct again_row *row;
	int i;

	for (i = 0; i < again->count; i++) {
		if (!strcmp(again->rows[i].what, what))
			return &again->rows[i];
	}
	if (again->count == again->room && !again_grow(again, now))
		return NULL;
	row = &again->rows[again->count++];
	memset(row, 0, sizeof(*row));
	snprintf(row->what, sizeof(row->what), "%s", what);
	return row;
}

static bool is_left(const struct change *change, const void *what)
{
	return !strcmp(change->kind, "left") && strstr(change->what, what);
}

/* Somebody manages it again. `what`: a part of what was left alone. */
static void left_forget(struct kernel *kernel, const char *what)
{
	struct change row;

	row_find(kernel, is_left, what, &row);
	if (*row.kind)
		changes_forget(kernel, is_left, what);
}

void change_again_new(struct kernel *kernel, const char *name)
{
	struct again *again = kernel->again;
	char part[IF_NAMESIZE + 2];
	int i = 0;

	snprintf(part, sizeof(part), "/%s/", name);
	left_forget(kernel, part);
	while (i < again->count) {
		if (strstr(again->rows[i].what, part))
			again->rows[i] = again->rows[--again->count];
		else
			i++;
	}
}

void change_again_failed(struct kernel *kernel, const char *what)
{
	struct again_row *row = NULL;

	if (kernel->again)
		row = again_find(kernel->again, what, (time_t)seconds_now());
	if (row)
		row->at = 0;
}

bool change_again(struct kernel *kernel, const char *what)
{
	/* Not the time of day: somebody may set it. */
	time_t now = (time_t)seconds_now() + 1;
	struct again_row *row;
	struct change ignored;
	struct fault said;

	if (!kernel->again) {
		left_forget(kernel, what);
		return true;
	}
	row = again_find(kernel->again, what, now);
	if (!row || change_find(kernel, "left", what, &ignored))
		return false;
	/* Also if it was left alone, and `apply` has set it since. */
	if (row->left || is_past(row, now)) {
		row->left = false;
		row->at = now;
		return true;
	}
	row->left = true;
	change_note(kernel, "left", what, "", &said);
	printf("%s: changed back twice within %d s by somebody else: left "
	       "alone, until %s apply\n",
	       what, AGAIN_SECONDS, kernel->role->name);
	return false;
}

bool change_find(const struct kernel *kernel, const char *kind,
		 const char *what, struct change *change)
{
	const struct named named = {kind, what};

	row_find(kernel, is_named, &named, change);
	return *change->kind;
}

void changes_forget(struct kernel *kernel,
		    bool (*goes)(const struct change *change, const void *data),
		    const void *data)
{
	int map = kernel_map(kernel, "changes");
	static const struct change none;
	__u32 i, count = 0;
	struct change change;

	/* Who is killed in between leaves rows twice, and loses none. */
	for (i = 0; map >= 0 && change_at(map, i, &change); i++) {
		if (goes(&change, data))
			continue;
		if (count < i)
			bpf_map_update_elem(map, &count, &change, BPF_ANY);
		count++;
	}
	while (i > count) {
		i--;
		bpf_map_update_elem(map, &i, &none, BPF_ANY);
	}
	if (map >= 0)
		close(map);
}
