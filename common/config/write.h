/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * write.h - write a struct config as the text of a file, and what it means
 *
 * The inverse of config_parse(), by the same table of keys: defaults are left
 * out. Law: what is written and read again is the same, field by field.
 */
#pragma once

#include "common/config/config.h"

void config_write(const struct config *config, FILE *out);

struct key;

/*
 * The value of a key that is no list, as in a file; to be freed. NULL: no
 * memory.
 */
char *key_text(const struct key *key, const void *record);

/*
 * Prints a line for each key of the file, and of services that both have, that
 * differs and is not in `told`, which ends with NULL. Returns their number, or
 * -1 without memory.
 */
int config_diff(const struct config *old, const struct config *new,
		const char *const *told, FILE *out);

/*
 * SHA-256 of what a file means: of its text written with services and backends
 * sorted. Comments, order and spelled-out defaults make no difference. Returns
 * 0, or -1 without memory.
 */
int config_digest(const struct config *config, __u8 digest[32]);

/* As people see it: its first 8 bytes. */
#define DIGEST_TEXT 17
const char *digest_text(const __u8 digest[32], char text[DIGEST_TEXT]);
