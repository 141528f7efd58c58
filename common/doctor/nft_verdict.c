// SPDX-License-Identifier: GPL-2.0-only
/*
 * nft_verdict.c - what a base chain does with the first packet of a connection
 *
 * Rules are read, not run. Only the packet's destination is known; a rule that
 * asks for anything else (the sender, a rate, a set that is filled by packets)
 * may apply or not.
 */
#include <string.h>

#include "common/config/config.h"
#include "common/core/address.h"
#include "common/doctor/nft.h"

enum truth { NO, MAYBE, YES };

struct walk {
	const json_t *objects;
	const struct nft_packet *packet;
	bool may_accept, may_drop;
	const json_t *unsure; /* the first rule that may drop */
	const json_t *by;     /* the rule that drops */
};

/* For a chain: its end is reached, or a verdict is certain. */
enum step { STEP_ON, STEP_RETURNED, STEP_ACCEPTED, STEP_DROPPED };

static enum truth known(bool is)
{
	return is ? YES : NO;
}

static enum truth least(enum truth a, enum truth b)
{
	return a < b ? a : b;
}

/* Does it name a set ("@blocked"), whose elements are not read? */
static bool is_named_set(const json_t *value)
{
	return json_is_string(value) && *json_string_value(value) == '@';
}

static enum truth port_is(const struct nft_packet *packet, const char *op,
			  const json_t *right)
{
	json_int_t limit = json_integer_value(right), port = packet->port;

	if (!port)
		return MAYBE;
	if (!strcmp(op, "<"))
		return known(port < limit);
	if (!strcmp(op, ">"))
		return known(port > limit);
	if (!strcmp(op, "<="))
		return known(port <= limit);
	if (!strcmp(op, ">="))
		return known(port >= limit);
	return known(nft_has(right, port));
}

/* nft prints a number if it knows no name. */
static enum truth protocol_is(const struct nft_packet *packet,
			      const json_t *right)
{
	return known(nft_is(right, packet->protocol) ||
		     nft_has(right, !strcmp(packet->protocol, "tcp") ? 6 : 17));
}

static enum truth payload_is(const struct nft_packet *packet,
			     const json_t *left, const char *op,
			     const json_t *right)
{
	const char *protocol = nft_word(left, "protocol");
	const char *field = nft_word(left, "field");

	if (!strcmp(protocol, "th") || !strcmp(protocol, packet->protocol))
		return strcmp(field, "dport") ? MAYBE
					      : port_is(packet, op, right);
	if (!strcmp(protocol, "ether") || !strcmp(protocol, "vlan"))
		return MAYBE;
	/* Also of another protocol above IP. */
	if (strcmp(protocol, addr_is_v4(&packet->to) ? "ip" : "ip6"))
		return NO;
	if (!strcmp(field, "daddr"))
		return known(nft_covers(right, &packet->to));
	if (!strcmp(field, "protocol") || !strcmp(field, "nexthdr"))
		return protocol_is(packet, right);
	return MAYBE;
}

static enum truth meta_is(const struct nft_packet *packet, const char *key,
			  const json_t *right)
{
	bool ipv4 = addr_is_v4(&packet->to);

	if (!strcmp(key, "l4proto"))
		return protocol_is(packet, right);
	if (!strcmp(key, "nfproto"))
		return known(nft_is(right, ipv4 ? "ipv4" : "ipv6"));
	if (!strcmp(key, "protocol"))
		return known(nft_is(right, ipv4 ? "ip" : "ip6"));
	/* It comes from the network. */
	if ((!strcmp(key, "iif") || !strcmp(key, "iifname")) &&
	    json_is_string(right) && nft_is(right, "lo"))
		return NO;
	return MAYBE;
}

static enum truth ct_is(const struct nft_packet *packet, const json_t *ct,
			const json_t *right)
{
	if (!nft_is(json_object_get(ct, "key"), "state"))
		return MAYBE;
	if (!nft_is(right, "new"))
		return NO;
	return packet->may_be_invalid ? MAYBE : YES;
}

static enum truth value_is(const struct nft_packet *packet, const json_t *left,
			   const char *op, const json_t *right)
{
	const json_t *part;

	if (is_named_set(right))
		return MAYBE;
	part = json_object_get(left, "payload");
	if (part && json_object_get(part, "protocol"))
		return payload_is(packet, part, op, right);
	part = json_object_get(left, "meta");
	if (part)
		return meta_is(packet, nft_word(part, "key"), right);
	part = json_object_get(left, "ct");
	return part ? ct_is(packet, part, right) : MAYBE;
}

static enum truth match_is(const struct nft_packet *packet, const json_t *match)
{
	const char *op = nft_word(match, "op");
	enum truth is = value_is(packet, json_object_get(match, "left"), op,
				 json_object_get(match, "right"));

	return strcmp(op, "!=") ? is : YES - is;
}

bool nft_is_condition(const json_t *expression)
{
	static const char *const others[] = {
		"accept",  "comment", "counter",   "drop",
		"goto",	   "jump",    "last",	   "log",
		"mangle",  "notrack", "reject",	   "return",
		"secmark", "vmap",    "ct helper", NULL,
	};
	const char *const *other;

	for (other = others; *other; other++) {
		/* Also finds {"accept": null}. */
		if (json_object_get(expression, *other))
			return false;
	}
	return true;
}

static void unsure(struct walk *walk, const json_t *rule)
{
	walk->may_accept = walk->may_drop = true;
	if (!walk->unsure)
		walk->unsure = rule;
}

static enum step chain_walk(struct walk *walk, const json_t *like,
			    const char *name, bool sure, int depth);

/*
 * A verdict under the condition `is` (not NO); `sure`: the chain is surely
 * reached.
 */
static enum step verdict_take(struct walk *walk, const json_t *rule,
			      const json_t *verdict, enum truth is, bool sure,
			      int depth)
{
	const json_t *jump = json_object_get(verdict, "jump");
	const json_t *to = jump ?: json_object_get(verdict, "goto");
	bool accepts = json_object_get(verdict, "accept");
	enum step step;

	if (to) {
		step = chain_walk(walk, rule, nft_word(to, "target"),
				  sure && is == YES, depth - 1);
		if (step == STEP_RETURNED)
			step = STEP_ON;
		if (step == STEP_ON && !jump && is == YES)
			return STEP_RETURNED;
		if (step == STEP_ON && !jump)
			unsure(walk, rule);
		return step;
	}
	if (json_object_get(verdict, "return")) {
		if (is == MAYBE)
			unsure(walk, rule);
		return is == YES ? STEP_RETURNED : STEP_ON;
	}
	if (is == YES && sure) {
		walk->by = rule;
		return accepts ? STEP_ACCEPTED : STEP_DROPPED;
	}
	walk->may_accept |= accepts;
	walk->may_drop |= !accepts;
	if (!accepts && !walk->unsure)
		walk->unsure = rule;
	/* No packet of this chain gets further. */
	return is == YES ? STEP_RETURNED : STEP_ON;
}

/* {"vmap": {"key": LEFT, "data": {"set": [[RIGHT, VERDICT], ...]}}} */
static enum step vmap_take(struct walk *walk, const json_t *rule,
			   const json_t *vmap, enum truth is, bool sure,
			   int depth)
{
	const json_t *data = json_object_get(vmap, "data");
	const json_t *rows = json_object_get(data, "set"), *row;
	enum step step = STEP_ON;
	enum truth row_is;
	size_t i;

	if (!json_is_array(rows))
		unsure(walk, rule);
	json_array_foreach(rows, i, row)
	{
		row_is = least(is, value_is(walk->packet,
					    json_object_get(vmap, "key"),
					    "==", json_array_get(row, 0)));
		if (row_is == NO)
			continue;
		step = verdict_take(walk, rule, json_array_get(row, 1), row_is,
				    sure, depth);
		if (step != STEP_ON)
			break;
	}
	return step;
}

static enum step rule_walk(struct walk *walk, const json_t *rule, bool sure,
			   int depth)
{
	const json_t *each, *part;
	enum truth is = YES;
	bool known_verdict = false;
	enum step step = STEP_ON;
	size_t i;

	json_array_foreach(json_object_get(rule, "expr"), i, each)
	{
		part = json_object_get(each, "match");
		if (part)
			is = least(is, match_is(walk->packet, part));
		else if (nft_is_condition(each))
			is = least(is, MAYBE);
		if (is == NO)
			return STEP_ON;
		part = json_object_get(each, "vmap");
		if (part) {
			step = vmap_take(walk, rule, part, is, sure, depth);
			known_verdict = true;
		} else if (nft_is_verdict(each)) {
			step = verdict_take(walk, rule, each, is, sure, depth);
			known_verdict = true;
		}
		if (step != STEP_ON)
			return step;
	}
	/* What an extension or a queue's reader does is not known. */
	if (!known_verdict && nft_goes_elsewhere(rule))
		unsure(walk, rule);
	return STEP_ON;
}

/* The chain of this name, in the table of the rule `like`. */
static enum step chain_walk(struct walk *walk, const json_t *like,
			    const char *name, bool sure, int depth)
{
	enum step step = STEP_ON;
	const json_t *each, *rule;
	size_t i;

	if (!depth) {
		unsure(walk, like);
		return STEP_ON;
	}
	json_array_foreach(walk->objects, i, each)
	{
		rule = json_object_get(each, "rule");
		if (!rule || !nft_same_table(rule, like) ||
		    strcmp(nft_word(rule, "chain"), name))
			continue;
		step = rule_walk(walk, rule, sure, depth);
		if (step != STEP_ON)
			break;
	}
	return step;
}

enum nft_verdict nft_verdict(const json_t *objects, const json_t *chain,
			     const struct nft_packet *packet, const json_t **by)
{
	struct walk walk = {.objects = objects, .packet = packet};
	enum step step = chain_walk(&walk, chain, nft_word(chain, "name"), true,
				    NFT_DEPTH);
	bool accepted = step == STEP_ACCEPTED;

	if (step != STEP_ACCEPTED && step != STEP_DROPPED)
		accepted = strcmp(nft_word(chain, "policy"), "drop");
	if (accepted ? walk.may_drop : walk.may_accept) {
		*by = walk.unsure;
		return NFT_MAY_DROP;
	}
	*by = step == STEP_DROPPED ? walk.by : NULL;
	return accepted ? NFT_ACCEPTS : NFT_DROPS;
}
