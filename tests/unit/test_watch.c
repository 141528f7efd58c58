// SPDX-License-Identifier: GPL-2.0-only
/* Which decisions match a watcher's filter. */
#include <arpa/inet.h>

#include "common/core/watch.h"
#include "tests/unit/unit.h"

#define V4(last)                                                               \
	{                                                                      \
		{                                                              \
			0, 0, htonl(0xffff), htonl(0xc0000200 + (last))        \
		}                                                              \
	}
#define V6(last)                                                               \
	{                                                                      \
		{                                                              \
			htonl(0x20010db8), 0, 0, htonl(last)                   \
		}                                                              \
	}

enum { END = WATCH_END, WHY = WATCH_REASON, TCP = 6, UDP = 17 };

static const struct {
	int last, port, protocol, filter, reason, is_wanted;
} rows[] = {
	{0, 0, 0, 0, 0, 1},	    {1, 0, 0, END, 0, 1}, /* the client */
	{2, 0, 0, END, 0, 1},				  /* the VIP */
	{3, 0, 0, END, 0, 1},				  /* the backend */
	{4, 0, 0, END, 0, 0},	    {1, 40000, 0, END, 0, 1},
	{1, 80, 0, END, 0, 0},	    {2, 80, TCP, END, 0, 1},
	{2, 40000, 0, END, 0, 0},   {3, 80, TCP, END, 0, 1},
	{3, 40000, 0, END, 0, 0},   {2, 80, UDP, END, 0, 0},
	{2, 0, UDP, END, 0, 0},	    {2, 0, TCP, END, 0, 1},
	{0, 0, 0, WHY, 3, 1},	    {0, 0, 0, WHY, 4, 0},
	{2, 0, 0, END | WHY, 3, 1}, {2, 0, 0, END | WHY, 4, 0},
	{4, 0, 0, END | WHY, 3, 0},
};

static void wanted(void **unused)
{
	/* 40000 > 80/tcp, to a backend, for reason 3 */
	const struct addr ends4[] = {V4(1), V4(2), V4(3)};
	const struct addr ends6[] = {V6(1), V6(2), V6(3)};
	size_t i, family;

	(void)unused;
	for (i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		const struct addr *ends = i % 2 ? ends6 : ends4;
		struct addr by_family[] = {V4(rows[i / 2].last),
					   V6(rows[i / 2].last)};
		struct watch watch = {
			.address = by_family[i % 2],
			.port = htons(rows[i / 2].port),
			.protocol = rows[i / 2].protocol,
			.filter = rows[i / 2].filter,
			.reason = rows[i / 2].reason,
		};
		struct watch_facts facts = {
			.source = &ends[0],
			.destination = &ends[1],
			.backend = &ends[2],
			.source_port = htons(40000),
			.port = htons(80),
			.protocol = TCP,
			.reason = 3,
		};

		if (watch_wants(&watch, &facts) != rows[i / 2].is_wanted)
			fail_msg("row %zu, family %zu", i / 2, i % 2);
		/*
		 * If the decision has no backend, a backend's filter does not
		 * match.
		 */
		facts.backend = 0;
		if (rows[i / 2].last == 3)
			assert_false(watch_wants(&watch, &facts));
		/*
		 * The same bits as an address of the other family do not match.
		 */
		family = (i + 1) % 2;
		watch.address = by_family[family];
		if (rows[i / 2].filter & END)
			assert_false(watch_wants(&watch, &facts));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wanted),
	};

	return RUN("watch", tests);
}
