/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * key_rows.h - how a row of keys.c says its field, and its types of check
 */
#pragma once

#include <stddef.h>

#include "common/config/config.h"
#include "common/config/keys.h"

/* " `maglev`" and so on: those that are a function of the flow. */
#define LISTED_FUNCTION(word) " `" word "`"
#define LISTED_CHOICE(word)
#define LISTED_POOL(word)
#define SCHEDULER_LISTED(NAME, name, word, kind, order) LISTED_##kind(word)

#define FIELD(record, member)                                                  \
	.offset = offsetof(struct record, member),                             \
	.size = sizeof(((struct record *)0)->member)
#define LIST(record, member, count, entry_level)                               \
	FIELD(record, member), .kind = KIND_LIST, .entry = entry_level,        \
			       .count_offset = offsetof(struct record, count), \
			       .min = 1

#define PREFIXES(record, member, count, most)                                  \
	FIELD(record, member), .kind = KIND_PREFIXES,                          \
			       .count_offset = offsetof(struct record, count), \
			       .min = 1, .max = most

#define TYPES_HTTP (TYPE(CHECK_HTTP) | TYPE(CHECK_HTTPS))
#define TYPES_TCP  (TYPE(CHECK_TCP) | TYPES_HTTP)
