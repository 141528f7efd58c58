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

/*
 * `help` with the names of methods for each @word: "`ipip` and `l2`" for
 * @crossing. The words are in method_names.c.
 */
#define METHODS_HELP 1024
const char *methods_in_help(const char *help, char text[METHODS_HELP]);
