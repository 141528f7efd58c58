// SPDX-License-Identifier: GPL-2.0-only
/*
 * show.c - print the sections of a role, those of the summary or one
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/cli/cli.h"
#include "common/cli/output.h"
#include "common/cli/report.h"
#include "common/kernel/kernel.h"

static bool is_wanted(const struct section *section, const char *only)
{
	if (!only)
		return section->summary;
	return !strcmp(section->with ?: section->name, only);
}

json_t *report_sections(const struct kernel *kernel, const char *only,
			struct fault *fault_out)
{
	const struct section *section;
	json_t *root = json_object(), *rows;

	if (!only)
		report_head(kernel, root);
	for (section = kernel->role->sections; section->name; section++) {
		if (!is_wanted(section, only))
			continue;
		rows = section->rows(kernel, fault_out);
		if (!rows) {
			json_decref(root);
			return NULL;
		}
		json_object_set_new(root, section->name, rows);
	}
	return root;
}

/* Removes the rows where `count` is 0. Returns how many. */
static size_t rows_drop(json_t *rows, const char *count)
{
	size_t i = json_array_size(rows), dropped = 0;
	json_t *row;

	while (i-- > 0) {
		row = json_array_get(rows, i);
		if (json_integer_value(json_object_get(row, count)))
			continue;
		json_array_remove(rows, i);
		dropped++;
	}
	return dropped;
}

/*
 * For people: only rows that have counted something. Returns how many are left
 * out.
 */
static size_t root_trim(const struct role *role, json_t *root)
{
	const struct section *section;
	size_t dropped = 0;

	for (section = role->sections; section->name; section++) {
		if (section->count)
			dropped +=
				rows_drop(json_object_get(root, section->name),
					  section->count);
	}
	return dropped;
}

/* For people: a section of few hosts, and one that belongs to another. */
static void root_hide(const struct role *role, json_t *root, const char *only)
{
	const struct section *section;

	for (section = role->sections; section->name; section++) {
		if (section->with &&
		    (!only || strcmp(section->name, only) != 0) &&
		    !json_array_size(json_object_get(root, section->name)))
			json_object_del(root, section->name);
	}
}

/* The current state, or NULL with a fault. */
static json_t *show_read(const struct role *role, const char *only,
			 struct fault *fault_out)
{
	int left = KERNEL_READS;
	struct kernel kernel;
	json_t *root;
	bool changed;

	do {
		root = NULL;
		if (!kernel_open(&kernel, role, ACCESS_READ, fault_out) &&
		    !kernel_attachments(&kernel, fault_out))
			root = report_sections(&kernel, only, fault_out);
		changed = kernel_changed(&kernel) && left--;
		kernel_close(&kernel);
		if (changed)
			json_decref(root);
	} while (changed);
	return root;
}

static bool is_same(json_t *row, json_t *other, const char *count)
{
	const char *key;
	json_t *value;

	json_object_foreach(row, key, value)
	{
		if (strcmp(key, count) &&
		    !json_equal(value, json_object_get(other, key)))
			return false;
	}
	return true;
}

/*
 * Subtracts what each row had counted in `before`, which may not have the row.
 */
static void rows_less(json_t *rows, const json_t *before, const char *count)
{
	json_t *row, *other;
	size_t i, j;

	json_array_foreach(rows, i, row)
	{
		json_array_foreach(before, j, other)
		{
			json_int_t was, is;

			if (!is_same(row, other, count))
				continue;
			was = json_integer_value(json_object_get(other, count));
			is = json_integer_value(json_object_get(row, count));
			json_object_set_new(
				row, count,
				json_integer(is > was ? is - was : 0));
			break;
		}
	}
}

/* How much the counters have risen since `before`. */
static void root_less(const struct role *role, json_t *root,
		      const json_t *before)
{
	const struct section *section;

	for (section = role->sections; section->name; section++) {
		if (section->count)
			rows_less(json_object_get(root, section->name),
				  json_object_get(before, section->name),
				  section->count);
	}
}

/* Every second, what has risen in it; until a signal, or until nobody reads. */
static int show_watch(const struct role *role, const struct options *options)
{
	static const struct timespec second = {1, 0};
	struct fault fault_is = {0};
	json_t *before, *now, *rise;
	int rc = 0;

	before = show_read(role, options->argument, &fault_is);
	while (before && !rc) {
		nanosleep(&second, NULL);
		now = show_read(role, options->argument, &fault_is);
		if (now) {
			rise = json_deep_copy(now);
			root_less(role, rise, before);
			if (!options->all)
				root_trim(role, rise);
			if (!options->json)
				root_hide(role, rise, options->argument);
			rc = options->json ? output_print_one(rise, true)
					   : output_print(rise, false);
		}
		json_decref(before);
		before = now;
	}
	return rc ? EXIT_FAILED : cli_failed(role, &fault_is);
}

int verb_show(const struct role *role, const struct options *options)
{
	struct fault fault_is = {0};
	size_t dropped = 0;
	json_t *root;

	if (options->watch)
		return show_watch(role, options);
	root = show_read(role, options->argument, &fault_is);
	if (!root)
		return cli_failed(role, &fault_is);
	if (!options->json && !options->all)
		dropped = root_trim(role, root);
	if (!options->json)
		root_hide(role, root, options->argument);
	if (output_print(root, options->json))
		return EXIT_FAILED;
	if (dropped)
		printf("without a packet, and not shown: %zu (-a shows them)\n",
		       dropped);
	return EXIT_DONE;
}
