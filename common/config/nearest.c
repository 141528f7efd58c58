// SPDX-License-Identifier: GPL-2.0-only
/*
 * nearest.c - guess which key was meant by an unknown one
 */
#include <ctype.h>
#include <string.h>

#include "common/config/keys.h"

static char folded(char c)
{
	return c == '_' ? '-' : (char)tolower((unsigned char)c);
}

static size_t smallest(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Levenshtein distance. `a` is shorter than 32 bytes. */
static size_t distance(const char *a, size_t a_length, const char *b,
		       size_t b_length)
{
	size_t row[32];

	for (size_t i = 0; i <= a_length; i++)
		row[i] = i;
	for (size_t j = 0; j < b_length; j++) {
		size_t diagonal = row[0];

		row[0] = j + 1;
		for (size_t i = 0; i < a_length; i++) {
			size_t other = folded(a[i]) != folded(b[j]);
			size_t above = row[i + 1];

			row[i + 1] = smallest(row[i] + 1, above + 1,
					      diagonal + other);
			diagonal = above;
		}
	}
	return row[a_length];
}

const struct key *key_nearest(enum level level, const char *name, size_t length)
{
	const struct key *nearest = NULL;
	size_t least = length / 2 < 3 ? length / 2 + 1 : 3;

	if (length > 31)
		return NULL;
	for (size_t i = 0; i < key_count; i++) {
		size_t d;

		if (keys[i].level != level)
			continue;
		d = distance(name, length, keys[i].name, strlen(keys[i].name));
		if (d < least) {
			least = d;
			nearest = &keys[i];
		}
	}
	return nearest;
}
