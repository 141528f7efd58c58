// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/address.h"
#include "common/core/abi_packets.h"
#include "common/host/advmss.h"
#include "common/host/announce.h"
#include "common/host/change.h"
#include "common/host/claim.h"
#include "common/host/check_veth.h"
#include "common/host/local_route.h"
#include "common/kernel/clsact.h"
#include "common/net/device.h"
#include "common/net/neighbours.h"
#include "common/net/netlink.h"
#include "common/net/routes.h"

static int sysctl_open(const char *path, int flags)
{
	char file[256];

	snprintf(file, sizeof(file), "/proc/sys/%s", path);
	return open(file, flags | O_CLOEXEC);
}

int sysctl_read(const char *path, char *value, size_t size)
{
	int fd = sysctl_open(path, O_RDONLY);
	ssize_t length;

	if (fd < 0)
		return -1;
	length = read(fd, value, size - 1);
	close(fd);
	if (length < 0)
		return -1;
	value[length] = '\0';
	value[strcspn(value, "\n")] = '\0';
	return 0;
}

static int sysctl_write(const char *path, const char *value)
{
	int fd = sysctl_open(path, O_WRONLY), rc;

	if (fd < 0)
		return -1;
	/* The newline: the kernel takes no write of 0 bytes. */
	rc = dprintf(fd, "%s\n", value) < 0 ? -1 : 0;
	close(fd);
	return rc;
}

int change_expected(struct kernel *kernel, const char *path,
		    struct fault *fault_out)
{
	char before[64];

	if (sysctl_read(path, before, sizeof(before)))
		return fault(fault_out, "cannot read sysctl %s: %s", path,
			     strerror(errno));
	return change_note(kernel, "sysctl", path, before, fault_out);
}

int change_sysctl(struct kernel *kernel, const char *path, const char *value,
		  struct fault *fault_out)
{
	char before[64];

	if (sysctl_read(path, before, sizeof(before)))
		return fault(fault_out, "cannot read sysctl %s: %s", path,
			     strerror(errno));
	if (!strcmp(before, value) || !change_again(kernel, path))
		return 0;
	if (change_note(kernel, "sysctl", path, before, fault_out))
		return -1;
	if (sysctl_write(path, value)) {
		fault(fault_out, "cannot set sysctl %s to %s: %s", path, value,
		      strerror(errno));
		change_again_failed(kernel, path);
		return fault_hint(fault_out,
				  "sysctl -w %s=%s on this host; for a "
				  "container, --sysctl when it is started",
				  path, value);
	}
	printf("sysctl %s: %s -> %s\n", path, before, value);
	return 0;
}

int change_vip(struct kernel *kernel, const struct addr *vip,
	       struct fault *fault_out)
{
	char text[64];
	int rc;

	addr_text(vip, text);
	if (!change_again(kernel, text))
		return 0;
	if (change_note(kernel, "address", text, "", fault_out))
		return -1;
	rc = address_on_lo(vip, true);
	if (rc && rc != -EEXIST)
		return fault(fault_out, "cannot add %s to lo: %s", text,
			     strerror(-rc));
	printf("lo: VIP %s added\n", text);
	return 0;
}

static int undo_sysctl(const struct change *change, struct fault *fault_out)
{
	char now[64];

	/* It may be gone, with its interface. */
	if (sysctl_read(change->what, now, sizeof(now)))
		return errno == ENOENT
			       ? 0
			       : fault(fault_out,
				       "cannot read sysctl %s, to put back %s: "
				       "%s",
				       change->what, change->before,
				       strerror(errno));
	if (!strcmp(now, change->before))
		return 0;
	if (sysctl_write(change->what, change->before))
		return fault(fault_out, "cannot put back sysctl %s to %s: %s",
			     change->what, change->before, strerror(errno));
	printf("sysctl %s: %s -> %s\n", change->what, now, change->before);
	return 0;
}

static int undo_address(const struct change *change, struct fault *fault_out)
{
	struct addr vip;
	int rc;

	if (addr_parse(change->what, &vip))
		return 0;
	rc = address_on_lo(&vip, false);
	if (rc == -EADDRNOTAVAIL)
		return 0;
	if (rc)
		return fault(fault_out, "cannot remove VIP %s from lo: %s",
			     change->what, strerror(-rc));
	printf("lo: VIP %s removed\n", change->what);
	return 0;
}

/* "172.17.0.3 dev eth0"; -1: that interface no longer exists. */
static int neighbour_parse(const char *what, int *ifindex, struct addr *address)
{
	char text[INET6_ADDRSTRLEN], name[IF_NAMESIZE];

	if (sscanf(what, "%45s dev %15s", text, name) != 2 ||
	    addr_parse(text, address))
		return -1;
	*ifindex = (int)if_nametoindex(name);
	return *ifindex ? 0 : -1;
}

int change_neighbour(struct kernel *kernel, int ifindex,
		     const struct addr *address, bool *is_asked,
		     struct fault *fault_out)
{
	char text[INET6_ADDRSTRLEN], name[IF_NAMESIZE], what[112];
	struct neighbour was;
	int rc;

	*is_asked = false;
	neighbour_read(ifindex, address, &was);
	if ((was.managed && was.resolved) || was.permanent ||
	    !if_indextoname((unsigned)ifindex, name) || !device_resolves(name))
		return 0;
	snprintf(what, sizeof(what), "%s dev %s", addr_text(address, text),
		 name);
	if (!was.managed && change_note(kernel, "neighbour", what,
					was.resolved ? "there" : "", fault_out))
		return -1;
	rc = neighbour_manage(ifindex, address);
	if (rc)
		return fault(fault_out, "cannot have %s kept fresh: %s", what,
			     strerror(-rc));
	if (!was.managed)
		printf("neighbour %s: managed\n", what);
	*is_asked = true;
	return 0;
}

int change_neighbours(const struct kernel *kernel, struct route_hop *hops,
		      int room)
{
	int map = kernel_map(kernel, "changes"), count = 0;
	struct change change;
	__u32 i;

	for (i = 0; map >= 0 && change_at(map, i, &change) && count < room;
	     i++) {
		if (!strcmp(change.kind, "neighbour") &&
		    !neighbour_parse(change.what, &hops[count].ifindex,
				     &hops[count].via))
			count++;
	}
	if (map >= 0)
		close(map);
	return count;
}

/* An entry that is noted. */
static void neighbour_again(const struct change *change, bool rose)
{
	struct addr address;
	struct neighbour is;
	int ifindex, rc;

	if (neighbour_parse(change->what, &ifindex, &address))
		return;
	neighbour_read(ifindex, &address, &is);
	if (is.permanent || (is.managed && (is.resolved || !rose)))
		return;
	/*
	 * The kernel would resolve an existing entry again, but only seconds
	 * later.
	 */
	if (is.managed)
		neighbour_remove(ifindex, &address);
	rc = neighbour_manage(ifindex, &address);
	if (!rc)
		printf("neighbour %s: %s; managed again\n", change->what,
		       is.managed ? "not resolved" : "was gone");
}

void change_neighbours_again(struct kernel *kernel,
			     bool (*rose)(const void *data, int ifindex),
			     const void *data)
{
	int map = kernel_map(kernel, "changes");
	struct change change;
	bool is_up;
	__u32 i;

	for (i = 0; map >= 0 && change_at(map, i, &change); i++) {
		char name[IF_NAMESIZE];

		if (strcmp(change.kind, "neighbour") ||
		    !if_indextoname(change.ifindex, name) ||
		    !device_runs(name, &is_up))
			continue;
		neighbour_again(&change, rose(data, (int)change.ifindex));
	}
	if (map >= 0)
		close(map);
}

static int undo_neighbour(const struct change *change, struct fault *fault_out)
{
	struct addr address;
	struct neighbour is;
	int ifindex, rc;

	if (neighbour_parse(change->what, &ifindex, &address))
		return 0;
	neighbour_read(ifindex, &address, &is);
	/* It was flushed, or belongs to somebody else by now. */
	if (!is.managed)
		return 0;
	if (*change->before && is.resolved)
		rc = neighbour_release(ifindex, &address, &is);
	else
		rc = neighbour_remove(ifindex, &address);
	if (rc && rc != -ENOENT)
		return fault(fault_out, "cannot put back neighbour %s: %s",
			     change->what, strerror(-rc));
	printf("neighbour %s: %s\n", change->what,
	       *change->before ? "no longer managed" : "removed");
	return 0;
}

/* Who is needed, and by whom that is known. */
struct neighbours_needed {
	bool (*needed)(int ifindex, const struct addr *address,
		       const void *data);
	const void *data;
};

static bool neighbour_goes(const struct change *change, const void *data)
{
	const struct neighbours_needed *who = data;
	struct fault ignored;
	struct addr address;
	int ifindex;

	if (strcmp(change->kind, "neighbour") ||
	    (!neighbour_parse(change->what, &ifindex, &address) &&
	     who->needed(ifindex, &address, who->data)))
		return false;
	return !undo_neighbour(change, &ignored);
}

void change_neighbours_keep(struct kernel *kernel,
			    bool (*needed)(int ifindex,
					   const struct addr *address,
					   const void *data),
			    const void *data)
{
	const struct neighbours_needed who = {needed, data};

	changes_forget(kernel, neighbour_goes, &who);
}

static int undo_check_veth(const struct change *change, struct fault *unused)
{
	(void)unused;
	if (check_veth_remove())
		printf("%s: removed\n", change->what);
	return 0;
}

/* A kind that is not here is a note only. */
static const struct {
	const char *kind;
	int (*undo)(const struct change *change, struct fault *fault);
} kinds[] = {
	{"sysctl", undo_sysctl},       {"address", undo_address},
	{"neighbour", undo_neighbour}, {"advmss", advmss_undo},
	{"claim", claim_undo},	       {"route", claim_route_undo},
	{"detour", undo_check_veth},   {"filter", clsact_undo},
	{"local", local_route_undo},   {"filter-out", clsact_undo},
	{"track", track_undo},	       {"announce", announce_undo},
	{"workers-in", clsact_undo},   {"workers-out", clsact_undo},
	{"waiting", clsact_undo},
};

static int undo(const struct change *change, struct fault *fault_out)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!strcmp(kinds[i].kind, change->kind))
			return kinds[i].undo(change, fault_out);
	}
	return 0;
}

/* What is needed of one kind, and by whom that is known. */
struct changes_needed {
	const char *kind;
	bool (*needed)(const char *what, const void *data);
	const void *data;
};

static bool change_goes(const struct change *change, const void *data)
{
	const struct changes_needed *what = data;
	struct fault ignored;

	return !strcmp(change->kind, what->kind) &&
	       !what->needed(change->what, what->data) &&
	       !undo(change, &ignored);
}

void changes_keep(struct kernel *kernel, const char *kind,
		  bool (*needed)(const char *what, const void *data),
		  const void *data)
{
	const struct changes_needed what = {kind, needed, data};

	changes_forget(kernel, change_goes, &what);
}

int changes_undo(struct kernel *kernel, struct fault *fault_out)
{
	int map = kernel_map(kernel, "changes"), rc = 0;
	struct change change;
	__u32 count = 0;

	/* There is none if `up` failed earlier. */
	if (map < 0)
		return errno == ENOENT
			       ? 0
			       : fault(fault_out,
				       "cannot read what was changed on this "
				       "host: %s",
				       strerror(errno));
	while (change_at(map, count, &change))
		count++;
	while (count-- > 0) {
		if (change_at(map, count, &change))
			rc |= undo(&change, fault_out);
	}
	close(map);
	return rc;
}
