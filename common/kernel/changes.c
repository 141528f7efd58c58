// SPDX-License-Identifier: GPL-2.0-only
/*
 * changes.c - see changes.h
 */
#include "common/kernel/changes.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/address.h"
#include "common/core/abi_packets.h"

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
	else if (strcmp(kind, "mode"))
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
	close(map);
	if (rc)
		return fault(fault_out,
			     "cannot note the change of %s, so it is not "
			     "made: %s",
			     what, strerror(errno));
	return 0;
}

int change_note(struct kernel *kernel, const char *kind, const char *what,
		const char *before, struct fault *fault_out)
{
	int map = kernel_map(kernel, "changes");
	struct change change;
	__u32 i;

	for (i = 0; change_at(map, i, &change); i++) {
		if (!strcmp(change.kind, kind) && !strcmp(change.what, what)) {
			close(map);
			return 0;
		}
	}
	return change_write(map, i, kind, what, before, fault_out);
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

/* The row of `what`, or a new one, or NULL. */
static int again_row(struct again *again, const char *what)
{
	int i;

	for (i = 0; i < again->count; i++) {
		if (!strcmp(again->rows[i].what, what))
			return i;
	}
	if (i == AGAIN_MOST)
		return -1;
	memset(&again->rows[i], 0, sizeof(again->rows[i]));
	snprintf(again->rows[i].what, sizeof(again->rows[i].what), "%s", what);
	return again->count++;
}

/* Somebody manages it again. `what`: a part of what was left alone. */
static void left_forget(struct kernel *kernel, const char *what)
{
	int map = kernel_map(kernel, "changes");
	struct change change;
	__u32 i = 0;

	while (map >= 0 && change_at(map, i, &change)) {
		if (!strcmp(change.kind, "left") && strstr(change.what, what))
			change_forget(map, i);
		else
			i++;
	}
	if (map >= 0)
		close(map);
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
	int i = kernel->again ? again_row(kernel->again, what) : -1;

	if (i >= 0)
		kernel->again->rows[i].at = 0;
}

bool change_again(struct kernel *kernel, const char *what)
{
	time_t now = time(NULL);
	struct change ignored;
	struct fault said;
	int i;

	if (!kernel->again) {
		left_forget(kernel, what);
		return true;
	}
	i = again_row(kernel->again, what);
	if (i < 0)
		return false;
	if (change_find(kernel, "left", what, &ignored))
		return false;
	/* Also if it was left alone, and `apply` has set it since. */
	if (kernel->again->rows[i].left || !kernel->again->rows[i].at ||
	    now - kernel->again->rows[i].at >= AGAIN_SECONDS) {
		kernel->again->rows[i].left = false;
		kernel->again->rows[i].at = now;
		return true;
	}
	kernel->again->rows[i].left = true;
	change_note(kernel, "left", what, "", &said);
	printf("%s: changed back twice within %d s by somebody else: left "
	       "alone, until %s apply\n",
	       what, AGAIN_SECONDS, kernel->role->name);
	return false;
}

bool change_find(const struct kernel *kernel, const char *kind,
		 const char *what, struct change *change)
{
	int map = kernel_map(kernel, "changes");
	bool found = false;
	__u32 i;

	for (i = 0; map >= 0 && !found && change_at(map, i, change); i++)
		found = !strcmp(change->kind, kind) &&
			!strcmp(change->what, what);
	if (map >= 0)
		close(map);
	return found;
}

void change_forget(int map, __u32 i)
{
	static const struct change none;
	struct change next;

	while (change_at(map, i + 1, &next)) {
		bpf_map_update_elem(map, &i, &next, BPF_ANY);
		i++;
	}
	bpf_map_update_elem(map, &i, &none, BPF_ANY);
}
