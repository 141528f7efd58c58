/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * method_lists.h - expected texts that list forwarding methods
 *
 * A test says @all, @crossing, @encapsulating, @keeping, @marking,
 * @overwriting, @returning or @routed. Which methods these are is told here
 * from the rows themselves, so that a new row needs no change of a test.
 * test_methods.c has the rows as they are to be.
 */
#pragma once

#include <stdio.h>
#include <string.h>

#include "common/core/method.h"

static const struct method_row {
	const char *name;
	enum restored_by by;
	unsigned int ipv4, ipv6, traits;
} method_rows[] = {
#define METHOD_ROW(name, by, ipv4, ipv6, traits, text)                         \
	{#name, RESTORED_BY_##by, ipv4, ipv6, traits},
	METHODS(METHOD_ROW)
#undef METHOD_ROW
};

static inline int row_is(const struct method_row *row, const char *word)
{
	int keeps = row->by == RESTORED_BY_INNER || row->by == RESTORED_BY_VIP;

	switch (word[1]) {
	case 'a':
		return 1;
	case 'c':
		return !!(row->traits & METHOD_CROSSES);
	case 'e':
		return row->by == RESTORED_BY_INNER;
	case 'k':
		return keeps;
	case 'm':
		return row->by == RESTORED_BY_MARK;
	case 'r':
		return !!(row->traits &
			  (word[2] == 'e' ? METHOD_RETURNS : METHOD_ROUTED));
	default:
		return row->by == RESTORED_BY_ADDRESS ||
		       row->by == RESTORED_BY_MARK;
	}
}

/* `text` with "rewrite or dscp" for @overwriting, and so on. */
static inline const char *with_methods(const char *text, char out[512])
{
	size_t used = 0;

	while (*text) {
		const char *between = "";

		if (*text != '@') {
			out[used++] = *text++;
			continue;
		}
		for (size_t i = 0; i < FORWARDS; i++) {
			if (!row_is(&method_rows[i], text))
				continue;
			used += (size_t)sprintf(out + used, "%s%s", between,
						method_rows[i].name);
			between = " or ";
		}
		text += 1 + strspn(text + 1, "abcdefghijklmnopqrstuvwxyz");
	}
	out[used] = '\0';
	return out;
}
