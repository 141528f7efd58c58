// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/host/relevant.h"

#include <errno.h>
#include <limits.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "LoadBalancer/host/addresses.h"
#include "LoadBalancer/host/host.h"
#include "common/base/elapsed.h"
#include "common/core/abi_services.h"
#include "common/host/change.h"
#include "common/kernel/generation.h"
#include "common/net/netlink_ask.h"

/* IFF_LOWER_UP of <linux/if.h>, which cannot be included with <net/if.h>. */
#define LOWER_UP 0x10000

int relevant_backends(struct relevant *relevant, const struct config *config,
		      struct fault *fault_out)
{
	size_t count;
	struct addr *backends = backend_addresses(config, &count);

	if (!backends)
		return fault(fault_out, "cannot follow this host: %s",
			     strerror(ENOMEM));
	free(relevant->backends);
	relevant->backends = backends;
	relevant->backend_count = count;
	return 0;
}

void relevant_free(struct relevant *relevant)
{
	free(relevant->backends);
	memset(relevant, 0, sizeof(*relevant));
}

/* Is a backend's address between `first` and `last`? */
static bool has_backend(const struct relevant *relevant,
			const struct addr *first, const struct addr *last)
{
	size_t at = addresses_below(relevant->backends, relevant->backend_count,
				    first);

	return at < relevant->backend_count &&
	       memcmp(&relevant->backends[at], last, sizeof(*last)) <= 0;
}

static unsigned int route_matters(struct relevant *relevant,
				  const struct nlmsghdr *message,
				  enum monitor_what what)
{
	struct addr first, last;
	bool by_flow = message_by_flow(message);

	relevant->is_by_flow |= by_flow;
	if (!route_range(message, &first, &last) &&
	    !has_backend(relevant, &first, &last) &&
	    (relevant->by_flow || !by_flow))
		return 0;
	relevant->is_asked |= relevant->by_flow;
	return what | MONITOR_ROUTE;
}

/* Notes whether the interface has a carrier. True: it has come back. */
static bool port_rises(struct relevant *relevant,
		       const struct nlmsghdr *message)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	bool runs = info->ifi_flags & LOWER_UP;
	bool rises;
	int i;

	if (info->ifi_family != AF_UNSPEC) /* of a bridge's port */
		return false;
	for (i = 0; i < relevant->port_count; i++) {
		if (relevant->ports[i].ifindex == info->ifi_index)
			break;
	}
	/*
	 * An index is never used again, so the row can be used for another
	 * interface.
	 */
	if (message->nlmsg_type == RTM_DELLINK) {
		if (i < relevant->port_count)
			relevant->ports[i] =
				relevant->ports[--relevant->port_count];
		return false;
	}
	if (i == RELEVANT_PORTS)
		return runs;
	/* For a new interface it is not known whether it had one. */
	rises = runs && (i == relevant->port_count || !relevant->ports[i].runs);
	relevant->port_count += i == relevant->port_count;
	relevant->ports[i].ifindex = info->ifi_index;
	relevant->ports[i].runs = runs;
	relevant->ports[i].rose |= rises;
	return rises;
}

static bool rose(const void *data, int ifindex)
{
	const struct relevant *relevant = data;
	int i;

	for (i = 0; i < relevant->port_count; i++) {
		if (relevant->ports[i].ifindex == ifindex)
			return relevant->ports[i].rose;
	}
	return relevant->is_lost;
}

struct entry {
	struct route_hop hop;
	bool managed;
};

static int entry_attribute(const struct nlattr *attribute, void *data)
{
	struct entry *entry = data;

	if (mnl_attr_get_type(attribute) == NDA_DST)
		address_get(attribute, &entry->hop.via);
	else if (mnl_attr_get_type(attribute) == NDA_FLAGS_EXT)
		entry->managed = mnl_attr_get_u32(attribute) & NTF_EXT_MANAGED;
	return MNL_CB_OK;
}

/* Is it one of our next hops, and no longer managed? */
static bool is_lost(const struct relevant *relevant,
		    const struct nlmsghdr *message)
{
	const struct ndmsg *info = mnl_nlmsg_get_payload(message);
	struct entry entry = {.hop.ifindex = info->ndm_ifindex};
	int i;

	mnl_attr_parse(message, sizeof(*info), entry_attribute, &entry);
	if (message->nlmsg_type == RTM_NEWNEIGH && entry.managed)
		return false;
	for (i = 0; i < relevant->hop_count; i++) {
		if (relevant->hops[i].ifindex == entry.hop.ifindex &&
		    !memcmp(&relevant->hops[i].via, &entry.hop.via,
			    sizeof(entry.hop.via)))
			return true;
	}
	return false;
}

unsigned int relevant_message(struct relevant *relevant,
			      const struct nlmsghdr *message,
			      enum monitor_what what)
{
	switch (what) {
	case MONITOR_LINK:
		return port_rises(relevant, message) ? what | MONITOR_NEIGHBOUR
						     : what;
	case MONITOR_NEIGHBOUR:
		return is_lost(relevant, message) ? what : 0;
	case MONITOR_ROUTE:
	case MONITOR_RULE:
		return route_matters(relevant, message, what);
	default:
		return what;
	}
}

/* Are next hops remembered for each backend, or for each flow? */
static int hops_by_flow(struct relevant *relevant, struct kernel *kernel,
			struct fault *fault_out)
{
	__u32 index = generation_current(kernel);
	long now = milliseconds_now();
	struct generation generation;
	char why[64] = "a route or a rule says so";
	bool by_flow = relevant->is_by_flow;

	if (generation_read(kernel, index, &generation))
		return fault(fault_out, "cannot read the generation: %s",
			     strerror(errno));
	relevant->by_flow = generation.next_hops_by_flow;
	relevant->is_asked |= by_flow != relevant->by_flow;
	if (relevant->is_asked &&
	    now - relevant->asked >= 100 * relevant->asking) {
		relevant->asked = now;
		relevant->asking = milliseconds_worked();
		by_flow = routes_by_flow(why, sizeof(why));
		relevant->asking = milliseconds_worked() - relevant->asking;
		relevant->is_asked = false;
	} else if (!by_flow) {
		/* Read later. Until then "for each flow" is right, too. */
		return 0;
	}
	relevant->is_by_flow = by_flow;
	if (by_flow == relevant->by_flow)
		return 0;
	generation.next_hops_by_flow = by_flow;
	if (generation_write(kernel, index, &generation))
		return fault(fault_out, "cannot write the generation: %s",
			     strerror(errno));
	relevant->by_flow = by_flow;
	if (by_flow)
		printf("next hops: one for each flow now: %s\n", why);
	else
		printf("next hops: one for each backend now\n");
	return 0;
}

/* Milliseconds until the routes may be read again; 0: none is unread. */
static int asks_later(const struct relevant *relevant)
{
	long left =
		relevant->asked + 100 * relevant->asking - milliseconds_now();

	if (!relevant->is_asked)
		return 0;
	return left < 1 ? 1 : left < INT_MAX ? (int)left : INT_MAX;
}

int relevant_look(struct relevant *relevant, struct kernel *kernel,
		  const struct config *config, unsigned int what,
		  struct fault *fault_out)
{
	int i, rc = 0;

	/*
	 * Messages were lost or not read, or none has come yet: any carrier may
	 * have come back, and may be gone just now.
	 */
	relevant->is_lost = what == MONITOR_ALL;
	relevant->is_asked |= relevant->is_lost;
	if (relevant->is_lost)
		relevant->port_count = 0;
	if (what & (MONITOR_ROUTE | MONITOR_RULE))
		lbr_neighbours(kernel, config);
	if (what & (MONITOR_ROUTE | MONITOR_RULE) || relevant->is_asked)
		rc = hops_by_flow(relevant, kernel, fault_out);
	if (what & (MONITOR_LINK | MONITOR_NEIGHBOUR))
		change_neighbours_again(kernel, rose, relevant);
	for (i = 0; i < relevant->port_count; i++)
		relevant->ports[i].rose = false;
	relevant->hop_count =
		change_neighbours(kernel, relevant->hops, RELEVANT_HOPS);
	return rc ?: asks_later(relevant);
}
