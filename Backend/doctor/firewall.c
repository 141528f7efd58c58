// SPDX-License-Identifier: GPL-2.0-only
/*
 * firewall.c - what nftables does with packets that xdp_bkd passes up
 *
 * They traverse the hooks prerouting and input like any packet for this host,
 * with the VIP as their destination.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "Backend/doctor/doctor.h"
#include "common/config/endpoint.h"
#include "common/doctor/nft.h"

static bool is_on_the_way(const json_t *chain,
			  const struct config_service *service)
{
	const char *hook = nft_word(chain, "hook");

	return !strcmp(nft_word(chain, "type"), "filter") &&
	       (!strcmp(hook, "input") || !strcmp(hook, "prerouting")) &&
	       nft_sees(chain, &service->vip);
}

static void chain_look(struct doctor *doctor, const json_t *objects,
		       const json_t *chain,
		       const struct config_service *service)
{
	const struct nft_packet packet = {
		.to = service->vip,
		.port = bpf_ntohs(service->port),
		.protocol = protocol_name(service->protocol),
	};
	const json_t *by;
	enum nft_verdict verdict = nft_verdict(objects, chain, &packet, &by);
	char text[64], where[128];

	if (verdict == NFT_ACCEPTS)
		return;
	endpoint_text(&service->vip, service->port, text);
	snprintf(where, sizeof(where), "%s %s %s", nft_word(chain, "family"),
		 nft_word(chain, "table"),
		 by ? nft_word(by, "chain") : nft_word(chain, "name"));
	if (verdict == NFT_MAY_DROP) {
		report(doctor, HEALTH_UNKNOWN,
		       "nftables: %s may drop packets for %s/%s; what it asks "
		       "for is more than where they go to:",
		       where, text, packet.protocol);
		mend(doctor, "nft -a list chain %s", where);
	} else if (by) {
		report(doctor, HEALTH_FAIL,
		       "nftables: a rule of %s drops packets for %s/%s", where,
		       text, packet.protocol);
		mend(doctor, "nft delete rule %s handle %lld", where,
		     (long long)json_integer_value(
			     json_object_get(by, "handle")));
	} else {
		report(doctor, HEALTH_FAIL,
		       "nftables: %s drops what no rule of it accepts, and "
		       "none accepts %s/%s",
		       where, text, packet.protocol);
		mend(doctor, "nft insert rule %s %s dport %u accept", where,
		     packet.protocol, packet.port);
	}
}

void look_firewall(struct doctor *doctor)
{
	json_t *objects = nft_read(), *each, *chain;
	struct served served;
	size_t i, s;

	if (!objects) {
		report(doctor, HEALTH_UNKNOWN,
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
		served_free(&served);
	}
	json_decref(objects);
	if (!doctor->said)
		report(doctor, HEALTH_OK,
		       "nftables: no rule drops what is for a service");
}
