// SPDX-License-Identifier: GPL-2.0-only
#include "common/doctor/nft.h"

#include <string.h>

#include "common/base/address.h"
#include "common/config/config.h"
#include "common/core/address.h"
#include "common/doctor/command.h"

json_t *nft_read(void)
{
	const char *const argv[] = {"nft", "-j", "list", "ruleset", NULL};
	struct command nft;
	json_t *root, *objects;

	command_begin(&nft, argv);
	root = nft.out ? json_loadf(nft.out, 0, NULL) : NULL;
	command_end(&nft);
	objects = json_incref(json_object_get(root, "nftables"));
	json_decref(root);
	return objects;
}

const char *nft_word(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key)) ?: "?";
}

/* The value of a set's element with attributes: {"elem": {"val": ...}}. */
static const json_t *plain(const json_t *value)
{
	return json_object_get(json_object_get(value, "elem"), "val") ?: value;
}

bool nft_is(const json_t *value, const char *word)
{
	const json_t *each;
	size_t i;

	value = plain(value);
	if (json_is_string(value))
		return !strcmp(json_string_value(value), word);
	if (json_is_object(value)) /* {"set": [...]} */
		value = json_object_get(value, "set");
	json_array_foreach(value, i, each)
	{
		if (nft_is(each, word))
			return true;
	}
	return false;
}

bool nft_has(const json_t *value, json_int_t number)
{
	const json_t *range, *each;
	size_t i;

	value = plain(value);
	range = json_object_get(value, "range");
	if (json_is_integer(value))
		return json_integer_value(value) == number;
	if (range)
		return json_integer_value(json_array_get(range, 0)) <= number &&
		       json_integer_value(json_array_get(range, 1)) >= number;
	if (json_is_object(value))
		value = json_object_get(value, "set");
	json_array_foreach(value, i, each)
	{
		if (nft_has(each, number))
			return true;
	}
	return false;
}

/* Does the rule have an expression of this name? */
static bool has(const json_t *rule, const char *name)
{
	const json_t *each;
	size_t i;

	json_array_foreach(json_object_get(rule, "expr"), i, each)
	{
		/* Also finds {"accept": null}. */
		if (json_object_get(each, name))
			return true;
	}
	return false;
}

bool nft_sees(const json_t *chain, const struct addr *to)
{
	const char *family = nft_word(chain, "family");

	return !strcmp(family, "inet") ||
	       !strcmp(family, addr_is_v4(to) ? "ip" : "ip6");
}

bool nft_same_table(const json_t *a, const json_t *b)
{
	return !strcmp(nft_word(a, "family"), nft_word(b, "family")) &&
	       !strcmp(nft_word(a, "table"), nft_word(b, "table"));
}

bool nft_drops(const json_t *rule)
{
	return has(rule, "drop") || has(rule, "reject");
}

bool nft_is_verdict(const json_t *expression)
{
	static const char *const verdicts[] = {
		"accept", "drop", "reject", "return", "jump", "goto", NULL,
	};
	const char *const *verdict;

	for (verdict = verdicts; *verdict; verdict++) {
		if (json_object_get(expression, *verdict))
			return true;
	}
	return false;
}

bool nft_goes_elsewhere(const json_t *rule)
{
	return has(rule, "xt") || has(rule, "queue");
}

/* Have two addresses the same first `bits`, of 128? */
static bool is_within(const struct addr *a, const struct addr *b, int bits)
{
	const __u8 *x = (const __u8 *)a, *y = (const __u8 *)b;
	int i;

	for (i = 0; i < bits; i++) {
		if ((x[i / 8] ^ y[i / 8]) & (0x80 >> i % 8))
			return false;
	}
	return true;
}

static bool is_between(const json_t *range, const struct addr *address)
{
	struct addr first, last;

	return !addr_parse(json_string_value(json_array_get(range, 0)) ?: "",
			   &first) &&
	       !addr_parse(json_string_value(json_array_get(range, 1)) ?: "",
			   &last) &&
	       memcmp(&first, address, sizeof(first)) <= 0 &&
	       memcmp(address, &last, sizeof(last)) <= 0;
}

bool nft_covers(const json_t *value, const struct addr *address)
{
	const json_t *prefix, *each;
	struct addr is;
	const char *text;
	int bits = 128;
	size_t i;

	value = plain(value);
	if (json_object_get(value, "range"))
		return is_between(json_object_get(value, "range"), address);
	prefix = json_object_get(value, "prefix");
	text = json_string_value(prefix ? json_object_get(prefix, "addr")
					: value);
	if (text) {
		if (addr_parse(text, &is))
			return false;
		if (prefix)
			bits = (int)json_integer_value(
				       json_object_get(prefix, "len")) +
			       (addr_is_v4(&is) ? 96 : 0);
		return is_within(&is, address, bits);
	}
	if (json_is_object(value))
		value = json_object_get(value, "set");
	json_array_foreach(value, i, each)
	{
		if (nft_covers(each, address))
			return true;
	}
	return false;
}

/* Does a rule jump or go to this chain? */
static bool leads_to(const json_t *rule, const char *chain)
{
	const json_t *each, *to;
	size_t i;

	json_array_foreach(json_object_get(rule, "expr"), i, each)
	{
		to = json_object_get(each, "jump")
			     ?: json_object_get(each, "goto");
		if (to && !strcmp(nft_word(to, "target"), chain))
			return true;
	}
	return false;
}

/* Is the chain of this name, in the table of the rule `like`, reached? */
static bool reaches(const json_t *objects, const json_t *like, const char *name,
		    const char *hook, int depth)
{
	const json_t *each, *chain, *rule;
	size_t i;

	json_array_foreach(objects, i, each)
	{
		chain = json_object_get(each, "chain");
		if (chain && nft_same_table(chain, like) &&
		    !strcmp(nft_word(chain, "name"), name) &&
		    !strcmp(nft_word(chain, "hook"), hook))
			return true;
		rule = json_object_get(each, "rule");
		if (depth && rule && nft_same_table(rule, like) &&
		    leads_to(rule, name) &&
		    reaches(objects, rule, nft_word(rule, "chain"), hook,
			    depth - 1))
			return true;
	}
	return false;
}

bool nft_reaches(const json_t *objects, const json_t *rule, const char *hook)
{
	return reaches(objects, rule, nft_word(rule, "chain"), hook, NFT_DEPTH);
}
