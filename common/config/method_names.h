/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * method_names.h - the names of forwarding methods, for people
 */
#pragma once

#include "common/core/method.h"

const char *method_name(const struct method *method);

/*
 * The names of the methods that are so, joined by `between`: "ipip or l2". For
 * `is` see common/core/method.h.
 */
#define METHODS_TEXT 128
const char *methods_text(int (*is)(const struct method *), const char *between,
			 char text[METHODS_TEXT]);
