/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * big_file.h - configuration files too long to write out
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

/*
 * A `services` list with `each` backends per service; the last service has
 * `extra` more.
 */
static inline char *big_file(unsigned int services, unsigned int each,
			     unsigned int extra)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	unsigned int n = 0;

	assert_non_null(out);
	fputs("services:\n", out);
	for (unsigned int i = 0; i < services; i++) {
		unsigned int count = each + (i == services - 1 ? extra : 0);

		fprintf(out,
			"- vip: 192.0.%u.%u\n  port: 80\n  protocol: tcp\n"
			"  backends:\n",
			i >> 8, i & 255);
		for (unsigned int j = 0; j < count; j++, n++)
			fprintf(out, "  - address: 10.0.%u.%u\n    weight: 1\n",
				n >> 8, n & 255);
	}
	fclose(out);
	return text;
}

/* `begin`, then the character `filling` up to `length`. */
static inline char *filled(const char *begin, char filling, size_t length)
{
	char *text = malloc(length + 1);

	assert_non_null(text);
	memset(text, filling, length);
	memcpy(text, begin, strlen(begin));
	text[length] = '\0';
	return text;
}
