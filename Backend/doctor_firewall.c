// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor_firewall.c - nftables, of what xdp_bkd passes up
 *
 * It goes through the hooks prerouting and input as any packet for this host
 * does, with the VIP as its destination. Rules are not run here, but read: what
 * a chain with jumps, maps or extensions does is not known.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "Backend/doctor.h"
#include "common/doctor/nft.h"
#include "common/tool/endpoint.h"

enum verdict { VERDICT_ACCEPT, VERDICT_DROP, VERDICT_POLICY, VERDICT_UNKNOWN };

/* What a base chain does with a service's packets; *by: the rule, if one. */
static enum verdict verdict_of(const json_t *objects, const json_t *chain,
			       const struct config_service *service,
			       const json_t **by)
{
	const char *protocol = protocol_name(service->protocol);
	const json_t *each, *rule, *port;
	enum verdict verdict = VERDICT_POLICY;
	size_t i;

	json_array_foreach(objects, i, each)
	{
		rule = json_object_get(each, "rule");
		if (!rule ||
		    strcmp(nft_word(rule, "family"),
			   nft_word(chain, "family")) ||
		    strcmp(nft_word(rule, "table"), nft_word(chain, "table")) ||
		    strcmp(nft_word(rule, "chain"), nft_word(chain, "name")))
			continue;
		if (nft_goes_on(rule))
			verdict = VERDICT_UNKNOWN;
		port = nft_match(rule, protocol, "dport");
		if (nft_matches(rule) &&
		    !(nft_matches(rule) == 1 && port &&
		      nft_has(port, bpf_ntohs(service->port))))
			continue;
		*by = rule;
		if (nft_accepts(rule))
			return VERDICT_ACCEPT;
		if (nft_drops(rule))
			return VERDICT_DROP;
	}
	if (verdict == VERDICT_POLICY &&
	    strcmp(nft_word(chain, "policy"), "drop"))
		return VERDICT_ACCEPT;
	return verdict;
}

static bool is_on_the_way(const json_t *chain,
			  const struct config_service *service)
{
	const char *family = nft_word(chain, "family");
	const char *hook = nft_word(chain, "hook");

	return (!strcmp(hook, "input") || !strcmp(hook, "prerouting")) &&
	       (!strcmp(family, "inet") ||
		!strcmp(family, addr_is_ipv4(&service->vip) ? "ip" : "ip6"));
}

static void chain_look(struct doctor *doctor, const json_t *objects,
		       const json_t *chain,
		       const struct config_service *service)
{
	const char *protocol = protocol_name(service->protocol);
	const json_t *rule = NULL;
	enum verdict verdict = verdict_of(objects, chain, service, &rule);
	char text[64], where[128];

	if (verdict == VERDICT_ACCEPT ||
	    (verdict == VERDICT_UNKNOWN &&
	     strcmp(nft_word(chain, "policy"), "drop")))
		return;
	endpoint_text(&service->vip, service->port, text);
	snprintf(where, sizeof(where), "%s %s %s", nft_word(chain, "family"),
		 nft_word(chain, "table"), nft_word(chain, "name"));
	if (verdict == VERDICT_DROP) {
		found(doctor, HEALTH_FAIL,
		      "nftables: a rule of %s drops packets for %s/%s", where,
		      text, protocol);
		mend(doctor, "nft delete rule %s handle %lld", where,
		     (long long)json_integer_value(
			     json_object_get(rule, "handle")));
	} else if (verdict == VERDICT_POLICY) {
		found(doctor, HEALTH_FAIL,
		      "nftables: %s drops what no rule of it accepts, and "
		      "none accepts %s/%s",
		      where, text, protocol);
		mend(doctor, "nft insert rule %s %s dport %u accept", where,
		     protocol, bpf_ntohs(service->port));
	} else {
		found(doctor, HEALTH_UNKNOWN,
		      "nftables: whether %s accepts %s/%s lies in other "
		      "chains; look for its port in:",
		      where, text, protocol);
		mend(doctor, "nft list ruleset");
	}
}

void look_firewall(struct doctor *doctor)
{
	json_t *objects = nft_read(), *each, *chain;
	struct served served;
	size_t i, s;

	if (!objects) {
		found(doctor, HEALTH_UNKNOWN,
		      "nftables: the rules cannot be read without nft");
		mend(doctor, "apt-get install nftables");
		return;
	}
	if (!served_read(doctor, &served)) {
		json_array_foreach(objects, i, each)
		{
			chain = json_object_get(each, "chain");
			for (s = 0; chain && s < served.count; s++) {
				if (served.services[s]->port &&
				    is_on_the_way(chain, served.services[s]))
					chain_look(doctor, objects, chain,
						   served.services[s]);
			}
		}
		free(served.services);
	}
	json_decref(objects);
	if (!doctor->said)
		found(doctor, HEALTH_OK,
		      "nftables: no rule drops what is for a service");
}
