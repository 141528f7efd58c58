// SPDX-License-Identifier: GPL-2.0-only
/*
 * firewall.c - what nftables does with packets that the kernel forwards
 * for xdp_lbr
 *
 * The firewall here does not see what XDP sends. It does see packets whose next
 * hop is not resolved yet, or that must be fragmented: the kernel forwards
 * those. Their checksum is that of the VIP, so conntrack calls them invalid.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "LoadBalancer/doctor/doctor.h"
#include "common/base/address.h"
#include "common/config/endpoint.h"
#include "common/core/address.h"
#include "common/doctor/nft.h"

/* `ct state invalid` */
static bool matches_invalid(const json_t *expression)
{
	const json_t *match = json_object_get(expression, "match");
	const json_t *ct =
		json_object_get(json_object_get(match, "left"), "ct");
	const char *op = json_string_value(json_object_get(match, "op"));

	return nft_is(json_object_get(ct, "key"), "state") && op &&
	       strcmp(op, "!=") &&
	       nft_is(json_object_get(match, "right"), "invalid");
}

static void look_rule(struct doctor *doctor, const json_t *objects,
		      const json_t *rule)
{
	bool invalid = false, sure = true;
	const json_t *each;
	size_t i;

	json_array_foreach(json_object_get(rule, "expr"), i, each)
	{
		if (matches_invalid(each))
			invalid = true;
		else if (nft_is_condition(each))
			sure = false;
	}
	/* Packets for this host itself (input) do not matter here. */
	if (!invalid || !nft_drops(rule) ||
	    !(nft_reaches(objects, rule, "forward") ||
	      nft_reaches(objects, rule, "prerouting")))
		return;
	report(doctor, HEALTH_WARN,
	       "nftables: a rule of %s %s %s %s what conntrack calls "
	       "invalid: to it, packets that the kernel forwards for xdp_lbr "
	       "are",
	       nft_word(rule, "family"), nft_word(rule, "table"),
	       nft_word(rule, "chain"), sure ? "drops" : "may drop");
	mend(doctor, "nft delete rule %s %s %s handle %lld",
	     nft_word(rule, "family"), nft_word(rule, "table"),
	     nft_word(rule, "chain"),
	     (long long)json_integer_value(json_object_get(rule, "handle")));
}

/* Backends as a set of nft: "{ 192.0.2.1, 192.0.2.2 }". */
struct backends {
	char set[512];
	size_t used;
	int count;
};

static void backends_add(struct backends *backends, const struct addr *address)
{
	const size_t size = sizeof(backends->set), used = backends->used;
	char text[INET6_ADDRSTRLEN], with[INET6_ADDRSTRLEN + 2];

	addr_text(address, text);
	snprintf(with, sizeof(with), " %s,", text);
	if (used + sizeof(text) + 4 > size || strstr(backends->set, with))
		return;
	backends->used += (size_t)snprintf(backends->set + used, size - used,
					   "%s%s", used ? "" : "{", with);
	backends->count++;
}

/* What the chain does with the service's packets to its backends. */
static void look_service(const json_t *objects, const json_t *chain,
			 const struct config_service *service,
			 struct backends dropped[2], struct backends *maybe)
{
	struct nft_packet packet = {
		.port = bpf_ntohs(service->port),
		.protocol = protocol_name(service->protocol),
		.may_be_invalid = true,
	};
	const json_t *by;
	size_t i;

	for (i = 0; i < service->backend_count; i++) {
		packet.to = service->backends[i].address;
		if (!nft_sees(chain, &packet.to))
			continue;
		switch (nft_verdict(objects, chain, &packet, &by)) {
		case NFT_ACCEPTS:
			break;
		case NFT_DROPS:
			backends_add(&dropped[!addr_is_v4(&packet.to)],
				     &packet.to);
			break;
		case NFT_MAY_DROP:
			backends_add(maybe, &packet.to);
			break;
		}
	}
}

static void look_chain(struct doctor *doctor, const json_t *objects,
		       const json_t *chain)
{
	static const char *const families[] = {"ip", "ip6"};
	struct backends dropped[2] = {0}, maybe = {0};
	char where[128];
	size_t s;
	int i;

	if (strcmp(nft_word(chain, "hook"), "forward") ||
	    strcmp(nft_word(chain, "type"), "filter"))
		return;
	snprintf(where, sizeof(where), "%s %s %s", nft_word(chain, "family"),
		 nft_word(chain, "table"), nft_word(chain, "name"));
	for (s = 0; s < doctor->config.service_count; s++) {
		if (method_is_for_kernel(&doctor->config.services[s].method))
			look_service(objects, chain,
				     &doctor->config.services[s], dropped,
				     &maybe);
	}
	for (i = 0; i < 2; i++) {
		if (!dropped[i].count)
			continue;
		report(doctor, HEALTH_WARN,
		       "nftables: %s drops packets to %d backend%s whose next "
		       "hop is not resolved yet",
		       where, dropped[i].count,
		       dropped[i].count == 1 ? "" : "s");
		dropped[i].set[dropped[i].used - 1] = '\0'; /* a comma */
		mend(doctor, "nft 'insert rule %s %s daddr %s } accept'", where,
		     families[i], dropped[i].set);
	}
	if (!maybe.count)
		return;
	report(doctor, HEALTH_UNKNOWN,
	       "nftables: %s may drop packets to %d backend%s whose next hop "
	       "is not resolved yet; what it asks for is more than where they "
	       "go to:",
	       where, maybe.count, maybe.count == 1 ? "" : "s");
	mend(doctor, "nft -a list chain %s", where);
}

static bool hands_over(const struct doctor *doctor)
{
	size_t s;

	for (s = 0; s < doctor->config.service_count; s++) {
		if (method_is_for_kernel(&doctor->config.services[s].method))
			return true;
	}
	return !doctor->config.service_count; /* without a file nobody knows */
}

void look_firewall(struct doctor *doctor)
{
	json_t *objects, *each, *part;
	size_t i;

	if (!hands_over(doctor)) {
		report(doctor, HEALTH_OK,
		       "the kernel forwards nothing for the services' methods");
		return;
	}
	objects = nft_read();
	json_array_foreach(objects, i, each)
	{
		part = json_object_get(each, "rule");
		if (part)
			look_rule(doctor, objects, part);
		part = json_object_get(each, "chain");
		if (part)
			look_chain(doctor, objects, part);
	}
	if (!objects) {
		report(doctor, HEALTH_UNKNOWN,
		       "nftables: the rules cannot be read without nft");
		mend(doctor, "apt-get install nftables");
	} else if (!doctor->said) {
		report(doctor, HEALTH_OK,
		       "nftables: nothing that the kernel forwards is dropped");
	}
	json_decref(objects);
	report(doctor, HEALTH_UNKNOWN,
	       "whether routers on the way drop what conntrack calls invalid; "
	       "there:");
	mend(doctor, "nft list ruleset | grep invalid");
}
