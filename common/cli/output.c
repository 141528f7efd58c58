// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/cli/output.h"

#define CELL	640 /* the longest is what doctor finds */
#define COLUMNS 16  /* no table of ours has as many columns */

/* No column: a line of its own below its row. */
static bool is_below(const char *key)
{
	return !strcmp(key, "try");
}

static void cell_text(const json_t *value, char *text)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		snprintf(text, CELL, "%s", json_string_value(value));
		break;
	case JSON_INTEGER:
		snprintf(text, CELL, "%lld",
			 (long long)json_integer_value(value));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		snprintf(text, CELL, "%s", json_is_true(value) ? "yes" : "no");
		break;
	default:
		snprintf(text, CELL, "-");
	}
}

/* The width of the widest cell of column `key`. */
static int column_width(const json_t *rows, const char *key)
{
	int width = (int)strlen(key), length;
	char text[CELL];
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		cell_text(json_object_get(row, key), text);
		length = (int)strlen(text);
		if (length > width)
			width = length;
	}
	return width;
}

static int columns_of(const json_t *row)
{
	return (int)json_object_size(row) - !!json_object_get(row, "try");
}

/*
 * Numbers are right-aligned, text left-aligned, and nothing follows the last
 * column.
 */
static void print_cell(const json_t *like, const char *text, int width,
		       bool last)
{
	if (json_is_integer(like))
		printf("  %*s", width, text);
	else
		printf("  %-*s", last ? 0 : width, text);
}

static void print_titles(const json_t *first, const int *widths)
{
	const char *key;
	char text[CELL], *c;
	int i = 0, columns = columns_of(first);
	json_t *value;

	json_object_foreach((json_t *)first, key, value)
	{
		if (is_below(key))
			continue;
		snprintf(text, CELL, "%s", key);
		for (c = text; *c; c++)
			*c = (char)toupper(*c);
		print_cell(value, text, widths[i], i == columns - 1);
		i++;
	}
	printf("\n");
}

static void print_row(const json_t *row, const json_t *first, const int *widths)
{
	const char *key;
	char text[CELL];
	int i = 0, columns = columns_of(first);
	json_t *value;

	json_object_foreach((json_t *)first, key, value)
	{
		if (is_below(key))
			continue;
		cell_text(json_object_get(row, key), text);
		print_cell(value, text, widths[i], i == columns - 1);
		i++;
	}
	printf("\n");
	key = json_string_value(json_object_get(row, "try"));
	if (key && *key)
		printf("    try: %s\n", key);
}

static void print_table(const char *name, const json_t *rows)
{
	json_t *first = json_array_get(rows, 0), *row, *value;
	int widths[COLUMNS], columns = 0;
	const char *key;
	size_t i;

	if (!first) {
		printf("%s: none\n", name);
		return;
	}
	json_object_foreach(first, key, value)
	{
		if (columns < COLUMNS && !is_below(key))
			widths[columns++] = column_width(rows, key);
	}
	printf("%s:\n", name);
	print_titles(first, widths);
	json_array_foreach(rows, i, row) print_row(row, first, widths);
}

int output_print(json_t *root, bool json)
{
	const char *key;
	char text[CELL];
	json_t *value;
	int rc = 0;

	if (!root)
		return -1;
	if (json) {
		rc = json_dumpf(root, stdout, JSON_INDENT(2));
		printf("\n");
	} else {
		json_object_foreach(root, key, value)
		{
			if (json_is_array(value)) {
				print_table(key, value);
				continue;
			}
			cell_text(value, text);
			printf("%s: %s\n", key, text);
		}
	}
	json_decref(root);
	return rc || fflush(stdout) || ferror(stdout) ? -1 : 0;
}

static void print_scalars(json_t *root)
{
	const char *key;
	bool begun = false;
	char text[CELL];
	json_t *value;

	json_object_foreach(root, key, value)
	{
		cell_text(value, text);
		if (begun)
			printf("; %s ", key);
		printf("%s", text);
		begun = true;
	}
}

int output_print_one(json_t *root, bool json)
{
	int rc = 0;

	if (json)
		rc = json_dumpf(root, stdout, JSON_COMPACT);
	else
		print_scalars(root);
	printf("\n");
	json_decref(root);
	return rc || fflush(stdout) || ferror(stdout) ? -1 : 0;
}
