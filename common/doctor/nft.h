/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nft.h - the host's nftables rules, as printed by `nft -j list ruleset`
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "common/core/abi.h"

/* The list of objects, to be released; NULL if it cannot be read. */
json_t *nft_read(void);

/* Is `value` this text, or a set or list that contains it? */
bool nft_is(const json_t *value, const char *word);
/* The same for a number, which may also lie in a range. */
bool nft_has(const json_t *value, json_int_t number);

/* A string of an object; "?" if there is none. */
const char *nft_word(const json_t *object, const char *key);

#define NFT_DEPTH 8 /* how many jumps are followed */

/* Does a chain see packets to this address, by its family? */
bool nft_sees(const json_t *chain, const struct addr *to);

/* Do two objects (a rule, a chain) belong to one table? */
bool nft_same_table(const json_t *a, const json_t *b);

/* Does one of a rule's expressions drop or reject? */
bool nft_drops(const json_t *rule);
/* Does this expression accept, drop, reject, return, jump or go to a chain? */
bool nft_is_verdict(const json_t *expression);
/* Has the rule a verdict that the ruleset does not show: xt, queue? */
bool nft_goes_elsewhere(const json_t *rule);
/*
 * Does the rule depend on more than the packet: on a limit, a quota, a count of
 * connections, a set that packets are added to? Also true for an unknown
 * expression, and for "match".
 */
bool nft_is_condition(const json_t *expression);

/*
 * Is this address equal to the value, or within it: a prefix, a range, a set?
 */
bool nft_covers(const json_t *value, const struct addr *address);

/*
 * Do packets of `hook` ("input", "forward", "prerouting") traverse the chain of
 * this rule: is it a base chain of that hook, or jumped to from one?
 */
bool nft_reaches(const json_t *objects, const json_t *rule, const char *hook);

/* The first packet of a connection, as seen at a hook. */
struct nft_packet {
	struct addr to;
	__u16 port;	      /* host's byte order; 0: any */
	const char *protocol; /* "tcp", "udp" */
	bool may_be_invalid;  /* for conntrack, and not new */
};

enum nft_verdict {
	NFT_ACCEPTS, /* passes it on */
	NFT_DROPS,
	NFT_MAY_DROP, /* a rule asks for more than is known about the packet */
};

/*
 * What a base chain, with all chains that it jumps to, does with the packet.
 * *by: the rule that drops or may drop; NULL: the policy does, or may.
 */
enum nft_verdict nft_verdict(const json_t *objects, const json_t *chain,
			     const struct nft_packet *packet,
			     const json_t **by);
