// SPDX-License-Identifier: GPL-2.0-only
#include "common/host/filters.h"

#include <stdio.h>
#include <string.h>

#include "common/host/change.h"

/* What a program there is for change_again(): "lbr_nat on eth0". */
#define ON " on "

bool filter_is_missing(struct kernel *kernel, const char *interface,
		       enum clsact where, const char *program)
{
	char what[64];

	snprintf(what, sizeof(what), "%s" ON "%s", program, interface);
	return !clsact_attached(interface, where) && change_again(kernel, what);
}

static bool is_left(const struct change *change, const void *program)
{
	size_t length = strlen(program);

	return !strcmp(change->kind, "left") &&
	       !strncmp(change->what, program, length) &&
	       !strncmp(change->what + length, ON, strlen(ON));
}

static bool is_needed(const char *interface, const void *data)
{
	(void)interface;
	(void)data;
	return false;
}

void filters_settle(struct kernel *kernel, enum clsact where,
		    const char *program, bool wanted)
{
	if (wanted)
		return;
	changes_forget(kernel, is_left, program);
	changes_keep(kernel, clsact_kind(where), is_needed, NULL);
}
