/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * output.h - one formatter for people and for machines
 *
 * A verb builds a JSON object of scalars and of arrays of flat objects.
 * output_print() writes it as JSON, or as lines and tables: a column is a key,
 * a cell its value, so the text never differs from what -j says (it may be
 * less). In text, null is "-", a boolean is yes or no, and `since` and `until`
 * are local time, not Unix time. In a row, `try` is a command that helps:
 * it is printed on a line of its own.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

/* Releases `root`. Returns 0, or -1 if memory or stdout failed. */
int output_print(json_t *root, bool json);
/* An object of scalars as one line: "A; key B; key C", or JSON. */
int output_print_one(json_t *root, bool json);
