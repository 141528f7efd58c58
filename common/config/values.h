/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * values.h - parse the text of a value into the field of its key
 */
#pragma once

#include "common/config/keys.h"
#include "common/core/abi.h"

/* Room for any problem of value_store(). */
#define PROBLEM_SIZE (ALLOWED_SIZE + 192)

/*
 * Stores `text` in the key's field of `record`. Returns 0, or -1 with a problem
 * such as: port "http": must be a number from 1 to 65535 or any
 */
int value_store(const struct key *key, const char *text, size_t length,
		void *record, char problem[PROBLEM_SIZE]);
/* The same for an entry of a list of prefixes. */
int value_prefix(const struct key *key, const char *text, size_t length,
		 struct prefix *prefix, char problem[PROBLEM_SIZE]);
/* The smallest prime that is at least `number`. */
__u32 value_next_prime(__u32 number);
