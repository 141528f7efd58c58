// SPDX-License-Identifier: GPL-2.0-only
#include "Backend/generation/layouts.h"

#include <string.h>

/* v4, of November 2026: before second chance. */
struct v4_restore {
	struct addr vip;
	__u64 until;
	struct method method;
	__u8 zero;
	__u32 counter;
};
_Static_assert(sizeof(struct v4_restore) == 32, "v4: restore");
_Static_assert(sizeof(struct v4_restore) <= MOST_RESTORE, "MOST_RESTORE");

const struct restore_layout restore_layout_own = {
	L3DSR_LAYOUT, sizeof(struct restores), NULL};

static void v4(const void *old, struct restore *new)
{
	const struct v4_restore *from = old;

	*new = (struct restore){
		.vip = from->vip,
		.until = from->until,
		.method = from->method,
		.counter = from->counter,
	};
}

static const struct restore_layout layouts[] = {
	{"v4", sizeof(struct v4_restore), v4},
	{0},
};

const struct restore_layout *restore_layout(const char *name)
{
	const struct restore_layout *each = layouts;

	while (each->name && strcmp(each->name, name))
		each++;
	return each->name ? each : NULL;
}

bool restore_layout_is_known(const char *name)
{
	return restore_layout(name);
}
