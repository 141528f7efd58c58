// SPDX-License-Identifier: GPL-2.0-only
#include "common/host/announce.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/address.h"
#include "common/core/address.h"
#include "common/host/announce_routes.h"
#include "common/host/change.h"

void announced_what(const struct config_announce *announce,
		    const struct addr *vip, char what[ANNOUNCED_WHAT])
{
	char text[INET6_ADDRSTRLEN];

	addr_text(vip, text);
	if (announce->table)
		snprintf(what, ANNOUNCED_WHAT, "%s table %u protocol %u", text,
			 announce->table, announce->protocol);
	else
		snprintf(what, ANNOUNCED_WHAT, "%s", text);
}

/* False: the row is of another kind. `table` is 0 without a route. */
static bool row_parse(const struct change *change, struct addr *vip,
		      __u32 *table, __u32 *protocol)
{
	char text[INET6_ADDRSTRLEN];

	*table = *protocol = 0;
	return !strcmp(change->kind, "announce") &&
	       sscanf(change->what, "%45s table %u protocol %u", text, table,
		      protocol) >= 1 &&
	       !addr_parse(text, vip);
}

/* "fit 100", "unfit 0". */
static void how_text(enum announced announced, __u32 metric, char *text,
		     size_t size)
{
	snprintf(text, size, "%s %u", announced_name(announced), metric);
}

static void how_parse(const char *text, struct announced_vip *vip)
{
	char name[16] = "";

	if (sscanf(text, "%15s %u", name, &vip->metric) < 1)
		return;
	for (vip->announced = ANNOUNCED_FIT; vip->announced; vip->announced--) {
		if (!strcmp(name, announced_name(vip->announced)))
			return;
	}
}

static int by_what(const void *a, const void *b)
{
	const struct announced_vip *x = a, *y = b;

	return strcmp(x->what, y->what);
}

int announced_read(const struct kernel *kernel, struct announced_vip **vips,
		   struct fault *fault_out)
{
	/* Also for an `up` that has not loaded its own yet. */
	int map = kernel_pinned(kernel, "changes"), count = 0, room = 0;
	struct announced_vip *grown;
	__u32 i, table, protocol;
	struct change change;
	struct addr vip;

	*vips = NULL;
	for (i = 0; map >= 0 && change_at(map, i, &change); i++) {
		if (!row_parse(&change, &vip, &table, &protocol))
			continue;
		if (count == room) {
			room = room ? 2 * room : 64;
			grown = realloc(*vips, (size_t)room * sizeof(*grown));
			if (!grown)
				break;
			*vips = grown;
		}
		(*vips)[count] = (struct announced_vip){
			.vip = vip,
			.row = i,
		};
		how_parse(change.before, &(*vips)[count]);
		memcpy((*vips)[count++].what, change.what, ANNOUNCED_WHAT);
	}
	if (map < 0 || (count == room && change_at(map, i, &change))) {
		fault(fault_out, "cannot read what is announced: %s",
		      strerror(errno));
		count = -1;
	}
	if (map >= 0)
		close(map);
	if (count > 0)
		qsort(*vips, (size_t)count, sizeof(**vips), by_what);
	return count;
}

const struct announced_vip *announced_find(const struct announced_vip *vips,
					   int count, const char *what)
{
	struct announced_vip wanted;

	snprintf(wanted.what, sizeof(wanted.what), "%s", what);
	return count > 0 ? bsearch(&wanted, vips, (size_t)count, sizeof(*vips),
				   by_what)
			 : NULL;
}

/* In its row, where it was before. */
static void note_again(struct kernel *kernel, const struct announced_vip *old,
		       const char *how)
{
	int map = kernel_map(kernel, "changes");
	struct change change;

	if (map < 0)
		return;
	if (change_at(map, old->row, &change) &&
	    !strcmp(change.what, old->what)) {
		snprintf(change.before, sizeof(change.before), "%s", how);
		bpf_map_update_elem(map, &old->row, &change, BPF_ANY);
	}
	close(map);
}

/*
 * The one of another metric goes after this one has come: a daemon that learns
 * them sees one at any time.
 */
static int route_set(const struct announce_route *route,
		     const struct announced_vip *old, struct fault *fault_out)
{
	struct announce_route other = *route;
	char text[INET6_ADDRSTRLEN];
	int rc = announce_route_add(route);

	if (!rc || rc == -EEXIST) {
		other.metric = old ? old->metric : 0;
		if (other.metric && other.metric != route->metric)
			rc = announce_route_remove(&other);
	}
	if (!rc || rc == -EEXIST || rc == -ESRCH)
		return 0;
	return fault(fault_out, "cannot set route %s in table %u: %s",
		     addr_text(&route->vip, text), route->table, strerror(-rc));
}

int announce_vip(struct kernel *kernel, const struct config_announce *announce,
		 const struct addr *vip, enum announced wanted,
		 const struct announced_vip *old, struct fault *fault_out)
{
	struct announce_route route = {
		.vip = *vip,
		.table = announce->table,
		.protocol = (__u8)announce->protocol,
		.metric = !announce->table	    ? 0
			  : wanted == ANNOUNCED_FIT ? announce->metric
						    : announce->metric_unfit,
	};
	char what[ANNOUNCED_WHAT], how[32], text[INET6_ADDRSTRLEN];

	announced_what(announce, vip, what);
	how_text(wanted, route.metric, how, sizeof(how));
	/* Noted before there is anything to undo. */
	if (!old && change_note(kernel, "announce", what, how, fault_out))
		return -1;
	if (route.table && route_set(&route, old, fault_out))
		return -1;
	if (old && old->announced == wanted && old->metric == route.metric)
		return 0;
	if (old)
		note_again(kernel, old, how);
	printf("%s: announced as %s", addr_text(vip, text),
	       announced_name(wanted));
	if (route.table)
		printf(", by a route of metric %u in table %u", route.metric,
		       route.table);
	printf("\n");
	return 0;
}

int announce_undo(const struct change *change, struct fault *fault_out)
{
	struct announce_route route = {0};
	char text[INET6_ADDRSTRLEN];
	__u32 protocol;
	int rc = 0;

	if (!row_parse(change, &route.vip, &route.table, &protocol))
		return 0;
	route.protocol = (__u8)protocol;
	/* Of any metric: it may have been changed and not been noted yet. */
	while (route.table && !rc)
		rc = announce_route_remove(&route);
	if (rc && rc != -ESRCH)
		return fault(fault_out, "cannot withdraw %s: %s", change->what,
			     strerror(-rc));
	printf("%s: withdrawn\n", addr_text(&route.vip, text));
	return 0;
}

static bool is_none(const char *what, const void *unused)
{
	(void)what;
	(void)unused;
	return false;
}

int announce_leave(struct kernel *kernel, struct fault *fault_out)
{
	struct announced_vip *left = NULL;
	int rc;

	/* First: an `lbr run` would announce them again. */
	if (change_note(kernel, "leave", "VIPs", "", fault_out))
		return -1;
	changes_keep(kernel, "track", is_none, NULL);
	changes_keep(kernel, "announce", is_none, NULL);
	rc = announced_read(kernel, &left, fault_out);
	if (rc > 0)
		rc = fault(fault_out, "cannot withdraw %s", left->what);
	free(left);
	return rc;
}

bool announce_has_left(const struct kernel *kernel)
{
	struct change ignored;

	return change_find(kernel, "leave", "VIPs", &ignored);
}

void announce_return(struct kernel *kernel)
{
	changes_keep(kernel, "leave", is_none, NULL);
}

struct refusing {
	const struct config_announce *announce;
	const struct announced_vip *vips;
	int count;
	struct fault *fault;
};

/* Called for each route of the table. */
static int route_refuse(const struct announce_route *route, __u8 bits,
			void *data)
{
	const struct refusing *refusing = data;
	const struct config_announce *announce = refusing->announce;
	char text[INET6_ADDRSTRLEN], what[ANNOUNCED_WHAT];
	bool ours = route->protocol == announce->protocol;

	announced_what(announce, &route->vip, what);
	if (ours && announced_find(refusing->vips, refusing->count, what))
		return 0;
	addr_text(&route->vip, text);
	fault(refusing->fault,
	      "cannot announce by table %u: it has the route %s/%u of protocol "
	      "%u, which lbr has not made",
	      route->table, text, bits, route->protocol);
	fault_hint(refusing->fault,
		   "ip -%c route show table %u, and another number for "
		   "\"table\" in the file",
		   addr_is_v4(&route->vip) ? '4' : '6', route->table);
	return 1;
}

int announce_refuse(const struct kernel *kernel, const struct config *config,
		    struct fault *fault_out)
{
	struct refusing refusing = {.announce = &config->announce,
				    .fault = fault_out};
	struct announced_vip *vips;
	int rc;

	if (!config->announce.table)
		return 0;
	/* Before the first `up` there are no notes. */
	refusing.count =
		announced_read(kernel->before ?: kernel, &vips, fault_out);
	refusing.vips = vips;
	rc = announce_routes_each(config->announce.table, route_refuse,
				  &refusing);
	free(vips);
	if (rc < 0)
		return fault(fault_out,
			     "cannot list the routes of table %u: %s",
			     config->announce.table, strerror(-rc));
	return rc ? -1 : 0;
}
