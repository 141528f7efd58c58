// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long ago something was seen, also if it was seen after `now` was read,
 * and if jiffies' low half has wrapped in between.
 */
#include "common/core/age.h"
#include "tests/unit/unit.h"

#define DAY_1000 (24 * 60 * 60 * 1000u) /* jiffies at 1000 Hz */

static void of_jiffies(void **unused)
{
	static const struct {
		const char *name;
		__u64 now, seen, age;
	} rows[] = {
		{"now", 5, 5, 0},
		{"a tick ago", 6, 5, 1},
		{"seen one tick ahead of now", 5, 6, 0},
		{"seen long ahead of now", 5, 1ULL << 40, 0},
		{"over the end of the low half", 1ULL << 32, 0xffffffff, 1},
		{"one tick ahead, over that end", 0xffffffff, 1ULL << 32, 0},
		{"never", 0xfffb6c20, 0, 0xfffb6c20},
		{"the longest", ~0ULL >> 1, 0, ~0ULL >> 1},
	};
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (age(rows[i].now, rows[i].seen) != rows[i].age)
			fail_msg("%s", rows[i].name);
		if (jiffies_left(rows[i].seen, rows[i].now) != rows[i].age)
			fail_msg("left: %s", rows[i].name);
	}
}

static void of_their_low_half(void **unused)
{
	static const struct {
		const char *name;
		__u32 now, seen, age;
	} rows[] = {
		{"now", 5, 5, 0},
		{"a tick ago", 6, 5, 1},
		{"seen one tick ahead of now", 5, 6, 0},
		{"a tick ago, over the end", 0, 0xffffffff, 1},
		{"seen one tick ahead, over the end", 0xffffffff, 0, 0},
		{"as far ahead as can be", 0, AGE_AHEAD - 1, 0},
		{"too far ahead: it is old", 0, AGE_AHEAD, -AGE_AHEAD},
		{"half of all distances", 1u << 31, 0, 1u << 31},
		{"over half of them", (1u << 31) + 1, 0, (1u << 31) + 1},
		{"silent for 25 days", 25 * DAY_1000, 0, 25 * DAY_1000},
		{"silent for 49 days", 49 * DAY_1000, 0, 49 * DAY_1000},
	};
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (age_low(rows[i].now, rows[i].seen) != rows[i].age)
			fail_msg("%s: %u", rows[i].name,
				 age_low(rows[i].now, rows[i].seen));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_jiffies),
		cmocka_unit_test(of_their_low_half),
	};

	return RUN("age", tests);
}
