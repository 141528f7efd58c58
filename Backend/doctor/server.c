// SPDX-License-Identifier: GPL-2.0-only
/*
 * server.c - the server behind the program, and its way back
 *
 * A packet that xdp_bkd passes up is for the VIP and a port: a server must
 * listen there, in this network namespace. Its reply goes to the client by this
 * host's own routes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "Backend/doctor/doctor.h"
#include "Backend/host/host.h"
#include "common/config/endpoint.h"
#include "common/config/transition.h"
#include "common/core/address.h"
#include "common/doctor/drops.h"
#include "common/kernel/clsact.h"
#include "common/net/netlink_ask.h"

/* Who would receive a service's packets. */
enum listener {
	LISTENER_NONE,
	LISTENER_ELSEWHERE, /* on that port of another address */
	LISTENER_WILDCARD,
	LISTENER_AT, /* on the VIP, or restore: tc: on our own address */
};

static enum listener listener_of(const struct config_service *service,
				 const struct config_backend *here,
				 const struct socket_row *rows, int count)
{
	bool ipv4 = addr_is_v4(&service->vip);
	enum listener best = LISTENER_NONE, is;
	int i;

	for (i = 0; i < count; i++) {
		if (rows[i].port != service->port)
			continue;
		if (addr_equal(&rows[i].local, &service->vip) ||
		    addr_equal(&rows[i].local, listened_at(service, here)))
			is = LISTENER_AT;
		else if (rows[i].is_wildcard &&
			 (ipv4 ? rows[i].takes_ipv4 : rows[i].takes_ipv6))
			is = LISTENER_WILDCARD;
		else
			is = LISTENER_ELSEWHERE;
		if (is > best)
			best = is;
	}
	return best;
}

bool has_listener(const struct config_service *service,
		  const struct config_backend *here,
		  const struct socket_row *sockets, int count)
{
	return listener_of(service, here, sockets, count) >= LISTENER_WILDCARD;
}

/*
 * xdp_bkd looks for sockets in the namespace of its interface, and passes up to
 * that one.
 */
static void elsewhere_report(struct doctor *doctor,
			     const struct config_service *service,
			     const struct addr *at, int process)
{
	char text[64];

	/* restore: tc: this host forwards to it. */
	if (!addr_equal(at, &service->vip)) {
		if (has_second_chance(service) ||
		    service->flows == FLOWS_SECOND_CHANCE)
			report(doctor, HEALTH_WARN,
			       "%s/%s is served in another network namespace: "
			       "second chance finds none of its flows",
			       endpoint_text(at, service->port, text),
			       protocol_name(service->protocol));
		return;
	}
	report(doctor, HEALTH_FAIL,
	       "nobody listens on %s/%s in this network namespace, but "
	       "somebody does in that of process %d: xdp_bkd must be attached "
	       "there%s",
	       endpoint_text(at, service->port, text),
	       protocol_name(service->protocol), process,
	       has_second_chance(service) ||
			       service->flows == FLOWS_SECOND_CHANCE
		       ? "; here, second chance finds none of its flows"
		       : "");
	mend(doctor, "bkd down; nsenter --net=/proc/%d/ns/net bkd up", process);
}

static void listener_look(struct doctor *doctor,
			  const struct config_service *service,
			  const struct config_backend *here,
			  const struct socket_row *rows, int count)
{
	bool udp = service->protocol == IPPROTO_UDP;
	const struct addr *at = listened_at(service, here);
	enum listener is = listener_of(service, here, rows, count);
	int process =
		is < LISTENER_WILDCARD ? listens_elsewhere(service, here) : 0;
	char text[64];

	if (process) {
		elsewhere_report(doctor, service, at, process);
		return;
	}
	endpoint_text(at, service->port, text);
	if (is < LISTENER_WILDCARD && at != &service->vip)
		report(doctor, HEALTH_WARN,
		       "no listener is seen on %s/%s; it may be a port "
		       "of a container that a rule of this host translates",
		       text, protocol_name(service->protocol));
	else if (is < LISTENER_WILDCARD)
		report(doctor, HEALTH_FAIL,
		       "nobody listens on %s/%s in this network namespace%s",
		       text, protocol_name(service->protocol),
		       is == LISTENER_NONE
			       ? ""
			       : ", but on that port of another address; bind "
				 "the server to this one, or to all addresses");
	else if (udp && is == LISTENER_WILDCARD && at == &service->vip)
		report(doctor, HEALTH_WARN,
		       "the UDP server of %s listens on all addresses: unless "
		       "it asks where each datagram went (IP_PKTINFO), it "
		       "answers from this host's own address; bind it to the "
		       "VIP",
		       text);
	else
		return;
	mend(doctor, "ss -Hlnp%c 'sport = :%u'", udp ? 'u' : 't',
	     bpf_ntohs(service->port));
}

/* Are the programs of restore: tc where `up` has attached them? */
static void programs_look(struct doctor *doctor, const struct served *served)
{
	const struct kernel *kernel = &doctor->kernel;
	const char *name;
	size_t s;
	int i;

	for (s = 0; s < served->count; s++) {
		if (served->backends[s]->restore == RESTORE_TC)
			break;
	}
	if (s == served->count || !doctor->is_up)
		return;
	if (!kernel_lookup_attached(kernel)) {
		report(doctor, HEALTH_FAIL,
		       "bkd_listener is not attached to this network "
		       "namespace: no server with restore: tc gets a "
		       "connection by its own address");
		mend(doctor, "bkd apply %s", doctor->path);
	}
	for (i = 0; i < kernel->attachment_count; i++) {
		name = kernel->attachments[i].name;
		if (clsact_attached(name, CLSACT_IN) &&
		    clsact_attached(name, CLSACT_OUT))
			continue;
		report(doctor, HEALTH_FAIL,
		       "%s: bkd_in or bkd_out is missing behind xdp_bkd "
		       "(clsact): replies of servers with restore: tc do not "
		       "come from the VIP",
		       name);
		mend(doctor, "bkd apply %s", doctor->path);
	}
}

void look_listeners(struct doctor *doctor)
{
	static const int protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	struct socket_row *rows;
	struct served served;
	struct fault said;
	size_t p, s, looked = 0;
	int count;

	if (served_read(doctor, &served))
		return;
	programs_look(doctor, &served);
	for (p = 0; p < 2; p++) {
		count = sockets_read(protocols[p], &rows, &said);
		if (count < 0) {
			report(doctor, HEALTH_UNKNOWN, "%s", said.cause);
			break;
		}
		for (s = 0; s < served.count; s++) {
			const struct config_service *at = served.services[s];

			/*
			 * A service of any port does not say which ports its
			 * server has.
			 */
			if (at->protocol != protocols[p] || !at->port)
				continue;
			looked++;
			listener_look(doctor, at, served.backends[s], rows,
				      count);
		}
		free(rows);
	}
	served_free(&served);
	if (!doctor->said)
		report(doctor, HEALTH_OK, "somebody listens for %zu service%s",
		       looked, looked == 1 ? "" : "s");
}

/* A route through a gateway, in any table; `data`: their number. */
static int each_route(const struct nlmsghdr *message, void *data)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);
	const struct nlattr *attribute;
	int *count = data, type;

	mnl_attr_for_each(attribute, message, sizeof(*route))
	{
		type = mnl_attr_get_type(attribute);
		if (route->rtm_type == RTN_UNICAST &&
		    (type == RTA_GATEWAY || type == RTA_VIA ||
		     type == RTA_MULTIPATH || type == RTA_NH_ID)) {
			++*count;
			break;
		}
	}
	return MNL_CB_OK;
}

static void count_empty(void *data)
{
	*(int *)data = 0;
}

/* The number of a family's routes beyond this host's segments; -1: unknown. */
static int gateways(bool ipv6)
{
	int count;

	return netlink_dump_family(RTM_GETROUTE, ipv6 ? AF_INET6 : AF_INET,
				   sizeof(struct rtmsg), each_route, &count,
				   count_empty)
		       ? -1
		       : count;
}

/* The kernel counts packets without a route, for both families. */
static void routes_look(struct doctor *doctor, bool ipv6)
{
	long long risen = no_routes_read(ipv6) - doctor->no_routes[ipv6];

	if (risen <= 0)
		return;
	report(doctor, HEALTH_FAIL,
	       "%s: %lld packet%s of this host had no route just now: answers, "
	       "most likely",
	       ipv6 ? "IPv6" : "IPv4", risen, risen == 1 ? "" : "s");
	mend(doctor, "ip %sroute replace default via GATEWAY",
	     ipv6 ? "-6 " : "");
}

void look_replies(struct doctor *doctor)
{
	struct served served;
	size_t s;
	int ipv6, count;

	if (served_read(doctor, &served))
		return;
	for (ipv6 = 0; ipv6 < 2; ipv6++) {
		for (s = 0; s < served.count; s++) {
			if (addr_is_v4(&served.services[s]->vip) != ipv6)
				break;
		}
		if (s == served.count)
			continue;
		count = gateways(ipv6);
		if (count > 0) {
			routes_look(doctor, ipv6);
			continue;
		}
		if (count < 0) {
			report(doctor, HEALTH_UNKNOWN,
			       "%s: this host's routes cannot be read",
			       ipv6 ? "IPv6" : "IPv4");
			continue;
		}
		report(doctor, HEALTH_FAIL,
		       "%s: no route leads beyond this host's own segments, so "
		       "no answer to a client elsewhere",
		       ipv6 ? "IPv6" : "IPv4");
		mend(doctor, "ip %sroute replace default via GATEWAY",
		     ipv6 ? "-6 " : "");
	}
	if (!doctor->said)
		report(doctor, HEALTH_OK,
		       served.count ? "routes lead beyond this host's segments"
				    : "no service is restored here");
	served_free(&served);
}
