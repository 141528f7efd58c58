/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * write.h - a struct config as the text of a file, and what it means
 *
 * The way back of config_parse(), by the same table of keys: what is left out
 * is what is the default anyway. Law: what is written and read again is the
 * same, field by field.
 */
#pragma once

#include "common/config/config.h"

void config_write(const struct config *config, FILE *out);

struct key;

/* The value of a key, no list, as in a file; to be freed. NULL: no memory. */
char *key_text(const struct key *key, const void *record);

/*
 * Prints a line for each key of the file, and of services that both have, that
 * differs and is not one of `told`, whose end is NULL. Their number, or -1: no
 * memory.
 */
int config_difference(const struct config *old, const struct config *new,
		      const char *const *told, FILE *out);

/*
 * SHA-256 of what a file means: of its text as it would be written with
 * services and backends in one order. How it was written makes no difference:
 * comments, order, defaults. Returns 0, or -1: memory ran out.
 */
int config_digest(const struct config *config, __u8 digest[32]);

/* As people are shown it: its first 8 bytes. */
#define DIGEST_TEXT 17
const char *digest_text(const __u8 digest[32], char text[DIGEST_TEXT]);
