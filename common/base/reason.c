// SPDX-License-Identifier: GPL-2.0-only
#include "common/base/reason.h"

#include <string.h>

#include "common/core/reason.h"

static const struct reason_row rows[] = {
#define REASON_ROW(name, action, programs, text)                               \
	{#name, "XDP_" #action, text, programs},
	REASONS(REASON_ROW)
#undef REASON_ROW
};

const struct reason_row *reason_row(__u32 reason)
{
	return reason < REASON_MAX ? &rows[reason] : NULL;
}

const char *reason_name(__u32 reason)
{
	return reason < REASON_MAX ? rows[reason].name : "unknown";
}

const char *reason_text(__u32 reason)
{
	return reason < REASON_MAX ? rows[reason].text : "unknown";
}

int reason_find(const char *name)
{
	int i;

	for (i = 0; i < REASON_MAX; i++) {
		if (!strcmp(rows[i].name, name))
			return i;
	}
	return -1;
}
