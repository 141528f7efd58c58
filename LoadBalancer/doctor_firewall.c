// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor_firewall.c - nftables, of what the kernel forwards for xdp_lbr
 *
 * What XDP sends on meets no firewall here. A packet whose next hop is not
 * resolved yet, or that is to be cut, does: the kernel forwards it. Its
 * checksum is that of the VIP, so conntrack calls it invalid.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "LoadBalancer/doctor.h"
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
	bool invalid = false;
	const json_t *each;
	size_t i;

	json_array_foreach(json_object_get(rule, "expr"), i, each) invalid |=
		matches_invalid(each);
	/* What is for this host itself (input) is no matter of ours. */
	if (!invalid || !nft_drops(rule) ||
	    !(nft_reaches(objects, rule, "forward") ||
	      nft_reaches(objects, rule, "prerouting")))
		return;
	found(doctor, HEALTH_WARN,
	      "nftables: a rule of %s %s %s drops what conntrack calls "
	      "invalid, as it calls packets that the kernel forwards for "
	      "xdp_lbr",
	      nft_word(rule, "family"), nft_word(rule, "table"),
	      nft_word(rule, "chain"));
	mend(doctor, "nft delete rule %s %s %s handle %lld",
	     nft_word(rule, "family"), nft_word(rule, "table"),
	     nft_word(rule, "chain"),
	     (long long)json_integer_value(json_object_get(rule, "handle")));
}

static bool same_chain(const json_t *rule, const json_t *chain)
{
	return !strcmp(nft_word(rule, "family"), nft_word(chain, "family")) &&
	       !strcmp(nft_word(rule, "table"), nft_word(chain, "table")) &&
	       !strcmp(nft_word(rule, "chain"), nft_word(chain, "name"));
}

/* Does a rule of the chain accept all that is for this address? */
static bool is_accepted(const json_t *objects, const json_t *chain,
			const struct addr *address)
{
	const char *protocol = addr_is_ipv4(address) ? "ip" : "ip6";
	const json_t *each, *rule;
	int matches;
	size_t i;

	json_array_foreach(objects, i, each)
	{
		rule = json_object_get(each, "rule");
		if (!rule || !same_chain(rule, chain) || !nft_accepts(rule))
			continue;
		matches = nft_matches(rule);
		if (!matches ||
		    (matches == 1 &&
		     nft_covers(nft_match(rule, protocol, "daddr"), address)))
			return true;
	}
	return false;
}

/* Is it a service whose packets the kernel may have to forward? */
static bool is_handed_over(const struct config_service *service)
{
	return service->method.forward == FORWARD_REWRITE ||
	       service->method.forward == FORWARD_DSCP;
}

/*
 * The backends of a family that the chain does not accept, as nft names a set:
 * "{ 192.0.2.1, 192.0.2.2 }". Their number.
 */
static int refused_backends(const struct doctor *doctor, const json_t *objects,
			    const json_t *chain, bool ipv6, char *set,
			    size_t size)
{
	const char *family = nft_word(chain, "family");
	char text[INET6_ADDRSTRLEN];
	size_t s, b, used = 0;
	int count = 0;

	if (!strcmp(family, ipv6 ? "ip" : "ip6") || !strcmp(family, "bridge"))
		return 0;
	for (s = 0; s < doctor->config.service_count; s++) {
		const struct config_service *at = &doctor->config.services[s];

		for (b = 0; is_handed_over(at) && b < at->backend_count; b++) {
			const struct addr *to = &at->backends[b].address;

			addr_text(to, text);
			if (addr_is_ipv4(to) == ipv6 || strstr(set, text) ||
			    is_accepted(objects, chain, to) ||
			    used + sizeof(text) + 4 > size)
				continue;
			used += (size_t)snprintf(set + used, size - used,
						 "%s %s", used ? "," : "{",
						 text);
			count++;
		}
	}
	snprintf(set + used, size - used, " }");
	return count;
}

static void look_chain(struct doctor *doctor, const json_t *objects,
		       const json_t *chain)
{
	char set[2][512] = {"", ""};
	int refused[2], ipv6;

	if (strcmp(nft_word(chain, "hook"), "forward") ||
	    strcmp(nft_word(chain, "policy"), "drop"))
		return;
	for (ipv6 = 0; ipv6 < 2; ipv6++)
		refused[ipv6] = refused_backends(doctor, objects, chain, ipv6,
						 set[ipv6], sizeof(set[ipv6]));
	for (ipv6 = 0; ipv6 < 2; ipv6++) {
		if (!refused[ipv6])
			continue;
		found(doctor, HEALTH_WARN,
		      "nftables: %s %s %s drops what no rule of it accepts, "
		      "and so packets to %d backend%s whose next hop is not "
		      "resolved yet",
		      nft_word(chain, "family"), nft_word(chain, "table"),
		      nft_word(chain, "name"), refused[ipv6],
		      refused[ipv6] == 1 ? "" : "s");
		mend(doctor, "nft 'insert rule %s %s %s %s daddr %s accept'",
		     nft_word(chain, "family"), nft_word(chain, "table"),
		     nft_word(chain, "name"), ipv6 ? "ip6" : "ip", set[ipv6]);
	}
}

static bool hands_over(const struct doctor *doctor)
{
	size_t s;

	for (s = 0; s < doctor->config.service_count; s++) {
		if (is_handed_over(&doctor->config.services[s]))
			return true;
	}
	return !doctor->config.service_count; /* no file: who knows */
}

void look_firewall(struct doctor *doctor)
{
	json_t *objects, *each, *part;
	size_t i;

	if (!hands_over(doctor)) {
		found(doctor, HEALTH_OK,
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
		found(doctor, HEALTH_UNKNOWN,
		      "nftables: the rules cannot be read without nft");
		mend(doctor, "apt-get install nftables");
	} else if (!doctor->said) {
		found(doctor, HEALTH_OK,
		      "nftables: nothing that the kernel forwards is dropped");
	}
	json_decref(objects);
	found(doctor, HEALTH_UNKNOWN,
	      "whether routers on the way drop what conntrack calls invalid; "
	      "there:");
	mend(doctor, "nft list ruleset | grep invalid");
}
