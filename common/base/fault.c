// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>

#include "common/base/fault.h"

int fault(struct fault *fault, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(fault->cause, sizeof(fault->cause), format, arguments);
	va_end(arguments);
	fault->hint[0] = '\0';
	return -1;
}

int fault_hint(struct fault *fault, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(fault->hint, sizeof(fault->hint), format, arguments);
	va_end(arguments);
	return -1;
}

static void (*warn_by)(const struct fault *fault);

void fault_warn(const struct fault *fault)
{
	if (warn_by)
		warn_by(fault);
}

void fault_warnings_to(void (*print)(const struct fault *fault))
{
	warn_by = print;
}
