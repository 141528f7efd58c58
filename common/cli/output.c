// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/json.h"
#include "common/cli/output.h"

#define CELL	640 /* the longest is what doctor finds */
#define COLUMNS 24  /* no table of ours has as many columns */

/* No column: a line of its own below its row. */
static bool is_below(const char *key)
{
	return !strcmp(key, "try");
}

static bool is_time(const char *key)
{
	return !strcmp(key, "since") || !strcmp(key, "until");
}

static void time_text(json_int_t at, char *text)
{
	time_t seconds = (time_t)at;
	struct tm local;

	if (!localtime_r(&seconds, &local) ||
	    !strftime(text, CELL, "%FT%T%z", &local))
		strcpy(text, "-");
}

static void list_text(const json_t *list, char *text)
{
	size_t i, length = 0;
	json_t *value;

	json_array_foreach(list, i, value)
	{
		length += (size_t)snprintf(text + length, CELL - length, "%s%s",
					   i ? ", " : "",
					   json_string_value(value));
		if (length >= CELL)
			return;
	}
	if (!i)
		strcpy(text, "-");
}

static void cell_text(const char *key, const json_t *value, char *text)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		snprintf(text, CELL, "%s", json_string_value(value));
		break;
	case JSON_INTEGER:
		if (is_time(key))
			time_text(json_integer_value(value), text);
		else
			snprintf(text, CELL, "%" JSON_INTEGER_FORMAT,
				 json_integer_value(value));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		snprintf(text, CELL, "%s", json_is_true(value) ? "yes" : "no");
		break;
	case JSON_ARRAY:
		list_text(value, text);
		break;
	default:
		snprintf(text, CELL, "-");
	}
}

struct column {
	const char *key;
	int width;
	bool is_number;
};

static struct column column_of(const json_t *rows, const char *key)
{
	struct column column = {.key = key, .width = (int)strlen(key)};
	char text[CELL];
	json_t *row, *value;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		value = json_object_get(row, key);
		cell_text(key, value, text);
		if ((int)strlen(text) > column.width)
			column.width = (int)strlen(text);
		column.is_number |= json_is_integer(value) && !is_time(key);
	}
	return column;
}

/* Those of the first row. Returns their number. */
static int columns_of(const json_t *rows, struct column *columns)
{
	int count = 0;
	const char *key;
	json_t *value;

	json_object_foreach(json_array_get(rows, 0), key, value)
	{
		if (count < COLUMNS && !is_below(key))
			columns[count++] = column_of(rows, key);
	}
	return count;
}

/*
 * Numbers are right-aligned, text left-aligned, and nothing follows the last
 * column.
 */
static void print_cell(const struct column *column, const char *text, bool last)
{
	if (column->is_number)
		printf("  %*s", column->width, text);
	else
		printf("  %-*s", last ? 0 : column->width, text);
}

static void print_titles(const struct column *columns, int count)
{
	char text[CELL], *c;
	int i;

	for (i = 0; i < count; i++) {
		snprintf(text, CELL, "%s", columns[i].key);
		for (c = text; *c; c++)
			*c = (char)toupper(*c);
		print_cell(&columns[i], text, i == count - 1);
	}
	printf("\n");
}

static void print_row(const json_t *row, const struct column *columns,
		      int count)
{
	const char *command;
	char text[CELL];
	int i;

	for (i = 0; i < count; i++) {
		cell_text(columns[i].key, json_object_get(row, columns[i].key),
			  text);
		print_cell(&columns[i], text, i == count - 1);
	}
	printf("\n");
	command = json_string_value(json_object_get(row, "try"));
	if (command)
		printf("    try: %s\n", command);
}

static void print_table(const char *name, const json_t *rows)
{
	struct column columns[COLUMNS];
	int count = columns_of(rows, columns);
	json_t *row;
	size_t i;

	if (!count) {
		printf("%s: none\n", name);
		return;
	}
	printf("%s:\n", name);
	print_titles(columns, count);
	json_array_foreach(rows, i, row) print_row(row, columns, count);
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
		root = json_with_schema(root);
		if (!root)
			return -1;
		rc = json_dumpf(root, stdout, JSON_INDENT(2));
		printf("\n");
	} else {
		json_object_foreach(root, key, value)
		{
			if (json_is_array(value)) {
				print_table(key, value);
				continue;
			}
			cell_text(key, value, text);
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
		cell_text(key, value, text);
		if (begun)
			printf("; %s ", key);
		printf("%s", text);
		begun = true;
	}
}

int output_print_one(json_t *root, bool json)
{
	int rc = 0;

	if (json) {
		root = json_with_schema(root);
		rc = root ? json_dumpf(root, stdout, JSON_COMPACT) : -1;
	} else {
		print_scalars(root);
	}
	printf("\n");
	json_decref(root);
	return rc || fflush(stdout) || ferror(stdout) ? -1 : 0;
}
