// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor_firewall.c - nftables, of what the kernel forwards for xdp_lbr
 *
 * What XDP sends on meets no firewall here. A packet whose next hop is not
 * resolved yet, or that is to be cut, does: the kernel forwards it. Its
 * checksum is that of the VIP, so conntrack calls it invalid.
 */
#include <stdio.h>
#include <string.h>

#include "LoadBalancer/doctor.h"

static bool is_word(const json_t *value, const char *word)
{
	const json_t *each;
	size_t i;

	if (json_is_string(value))
		return !strcmp(json_string_value(value), word);
	if (json_is_object(value)) /* {"set": [...]} */
		value = json_object_get(value, "set");
	json_array_foreach(value, i, each)
	{
		if (is_word(each, word))
			return true;
	}
	return false;
}

/* `ct state invalid` */
static bool matches_invalid(const json_t *expression)
{
	const json_t *match = json_object_get(expression, "match");
	const json_t *ct =
		json_object_get(json_object_get(match, "left"), "ct");
	const char *op = json_string_value(json_object_get(match, "op"));

	return is_word(json_object_get(ct, "key"), "state") && op &&
	       strcmp(op, "!=") &&
	       is_word(json_object_get(match, "right"), "invalid");
}

static const char *word(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key)) ?: "?";
}

static void look_rule(struct doctor *doctor, const json_t *rule)
{
	bool invalid = false, drops = false;
	const json_t *each;
	size_t i;

	json_array_foreach(json_object_get(rule, "expr"), i, each)
	{
		invalid |= matches_invalid(each);
		drops |= json_object_get(each, "drop") ||
			 json_object_get(each, "reject");
	}
	if (!invalid || !drops)
		return;
	found(doctor, HEALTH_WARN,
	      "nftables: a rule of %s %s %s drops what conntrack calls "
	      "invalid: "
	      "so it calls what is sent on",
	      word(rule, "family"), word(rule, "table"), word(rule, "chain"));
	mend(doctor, "nft delete rule %s %s %s handle %lld",
	     word(rule, "family"), word(rule, "table"), word(rule, "chain"),
	     (long long)json_integer_value(json_object_get(rule, "handle")));
}

static void look_chain(struct doctor *doctor, const json_t *chain)
{
	if (strcmp(word(chain, "hook"), "forward") ||
	    strcmp(word(chain, "policy"), "drop"))
		return;
	found(doctor, HEALTH_WARN,
	      "nftables: %s %s %s drops what no rule of it accepts, and so "
	      "packets whose next hop is not resolved yet",
	      word(chain, "family"), word(chain, "table"), word(chain, "name"));
	mend(doctor, "nft 'add chain %s %s %s { policy accept; }'",
	     word(chain, "family"), word(chain, "table"), word(chain, "name"));
}

/* The ruleset, or NULL: it cannot be read. */
static json_t *ruleset_read(void)
{
	FILE *pipe = popen("nft -j list ruleset 2>/dev/null", "re");
	json_t *root = pipe ? json_loadf(pipe, 0, NULL) : NULL;

	if (pipe)
		pclose(pipe);
	return root;
}

void look_firewall(struct doctor *doctor)
{
	json_t *root = ruleset_read(), *each, *part;
	size_t i;

	json_array_foreach(json_object_get(root, "nftables"), i, each)
	{
		part = json_object_get(each, "rule");
		if (part)
			look_rule(doctor, part);
		part = json_object_get(each, "chain");
		if (part)
			look_chain(doctor, part);
	}
	if (!root) {
		found(doctor, HEALTH_UNKNOWN,
		      "nftables: the rules cannot be read without nft");
		mend(doctor, "apt-get install nftables");
	} else if (!doctor->said) {
		found(doctor, HEALTH_OK,
		      "nftables: nothing that the kernel forwards is dropped");
	}
	json_decref(root);
	found(doctor, HEALTH_UNKNOWN,
	      "whether routers on the way drop what conntrack calls invalid; "
	      "there:");
	mend(doctor, "nft list ruleset | grep invalid");
}
