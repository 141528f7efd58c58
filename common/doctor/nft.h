/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nft.h - the host's nftables rules, as `nft -j list ruleset` prints them
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

/* The list of its objects, to be released; NULL: it cannot be read. */
json_t *nft_read(void);

/* Is `value` this word, or a set or list that has it? */
bool nft_is(const json_t *value, const char *word);
/* The same of a number, which may also lie in a range. */
bool nft_has(const json_t *value, json_int_t number);

/* A string of an object; "?" where there is none. */
const char *nft_word(const json_t *object, const char *key);

/* Does one of a rule's expressions drop or reject; does one accept? */
bool nft_drops(const json_t *rule);
bool nft_accepts(const json_t *rule);
/* Does one hand the packet to another chain, or ask a map for its verdict? */
bool nft_goes_on(const json_t *rule);

/*
 * The right side of the first match of a rule whose left side is `field` of
 * `protocol`, as {"payload": {"protocol": "tcp", "field": "dport"}}; NULL:
 * there is none.
 */
const json_t *nft_match(const json_t *rule, const char *protocol,
			const char *field);

/* The matches of a rule; 0: it is for every packet. */
int nft_matches(const json_t *rule);

/* Is this address, or a prefix that it is in, the value or in it? */
struct addr;
bool nft_covers(const json_t *value, const struct addr *address);

/*
 * Do packets of `hook` ("input", "forward", "prerouting") come through the
 * chain of this rule: is it a base chain of that hook, or jumped to from one?
 */
bool nft_reaches(const json_t *objects, const json_t *rule, const char *hook);
