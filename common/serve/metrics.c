// SPDX-License-Identifier: GPL-2.0-only
#include "common/serve/metrics.h"

#include <event2/buffer.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *word_of(const json_t *row, const char *field)
{
	return json_string_value(json_object_get(row, field)) ?: "";
}

/* Is it one of these keywords, which are separated by '|'? */
static bool is_one_of(const char *word, const char *words)
{
	size_t length = strlen(word);

	for (; words; words = strchr(words, '|')) {
		words += *words == '|';
		if (!strncmp(words, word, length) &&
		    (!words[length] || words[length] == '|'))
			return true;
	}
	return false;
}

static void value_write(const struct metric *metric, const json_t *value,
			struct evbuffer *out)
{
	if (!metric->field)
		evbuffer_add_printf(out, " 1\n");
	else if (metric->is)
		evbuffer_add_printf(
			out, " %d\n",
			is_one_of(json_string_value(value) ?: "", metric->is));
	else if (json_is_real(value))
		evbuffer_add_printf(out, " %.6f\n", json_real_value(value));
	else if (json_is_boolean(value))
		evbuffer_add_printf(out, " %d\n", json_is_true(value));
	else
		evbuffer_add_printf(out, " %" JSON_INTEGER_FORMAT "\n",
				    json_integer_value(value));
}

/* An interface's name may contain a quote. */
static void label_write(const json_t *row, const char *label,
			struct evbuffer *out)
{
	const json_t *value = json_object_get(row, label);
	const char *word = word_of(row, label);

	evbuffer_add_printf(out, "%s=\"", label);
	if (json_is_integer(value))
		evbuffer_add_printf(out, "%" JSON_INTEGER_FORMAT,
				    json_integer_value(value));
	else if (json_is_null(value)) /* of labels, only a port may be */
		evbuffer_add_printf(out, "any");
	for (; *word; word++) {
		if (*word == '"' || *word == '\\')
			evbuffer_add(out, "\\", 1);
		evbuffer_add(out, word, 1);
	}
	evbuffer_add(out, "\"", 1);
}

/*
 * The name and labels of a value. `suffix` and `limit` are of a histogram;
 * limit NULL: it is none.
 */
static void name_write(const struct metric *metric, const char *suffix,
		       const json_t *row, const char *limit,
		       struct evbuffer *out)
{
	const char *const *label = metric->labels;

	evbuffer_add_printf(out, "%s%s", metric->name, suffix);
	for (; *label; label++) {
		evbuffer_add(out, label == metric->labels ? "{" : ",", 1);
		label_write(row, *label, out);
	}
	if (limit)
		evbuffer_add_printf(out, "%sle=\"%s\"",
				    *metric->labels ? "," : "{", limit);
	if (*metric->labels || limit)
		evbuffer_add(out, "}", 1);
}

static bool is_labelled_alike(const struct metric *metric, const json_t *row,
			      const json_t *other)
{
	const char *const *label = metric->labels;

	for (; *label; label++) {
		if (!json_equal(json_object_get(row, *label),
				json_object_get(other, *label)))
			return false;
	}
	return true;
}

/* Buckets of a histogram are cumulative, and the last one has all. */
static void histogram_write(const struct metric *metric, const json_t *status,
			    const json_t *row, struct evbuffer *out)
{
	const json_t *bucket, *limit;
	json_int_t count = 0;
	char text[32];
	size_t i;

	json_array_foreach(json_object_get(status, metric->is), i, bucket)
	{
		if (!is_labelled_alike(metric, row, bucket))
			continue;
		count += json_integer_value(json_object_get(bucket, "count"));
		limit = json_object_get(bucket, "at-most-ms");
		if (!json_is_integer(limit))
			continue;
		snprintf(text, sizeof(text), "%g",
			 (double)json_integer_value(limit) / 1000);
		name_write(metric, "_bucket", row, text, out);
		evbuffer_add_printf(out, " %" JSON_INTEGER_FORMAT "\n", count);
	}
	name_write(metric, "_bucket", row, "+Inf", out);
	evbuffer_add_printf(out, " %" JSON_INTEGER_FORMAT "\n", count);
	name_write(metric, "_sum", row, NULL, out);
	evbuffer_add_printf(out, " %.3f\n",
			    (double)json_integer_value(
				    json_object_get(row, metric->field)) /
				    1000);
	name_write(metric, "_count", row, NULL, out);
	evbuffer_add_printf(out, " %" JSON_INTEGER_FORMAT "\n", count);
}

static void row_write(const struct metric *metric, const json_t *status,
		      const json_t *row, struct evbuffer *out)
{
	const char *const *label = metric->labels;
	const json_t *value = NULL;

	if (metric->field) {
		value = json_object_get(row, metric->field);
		if (!value || json_is_null(value))
			return;
	} else if (*label && !*word_of(row, *label)) {
		return;
	}
	if (!strcmp(metric->type, "histogram")) {
		histogram_write(metric, status, row, out);
		return;
	}
	name_write(metric, "", row, NULL, out);
	value_write(metric, value, out);
}

void metrics_write(const struct metric *metric, const struct json_t *status,
		   struct evbuffer *out)
{
	const json_t *row;
	size_t i;

	for (; metric->name; metric++) {
		evbuffer_add_printf(out, "# HELP %s %s\n# TYPE %s %s\n",
				    metric->name, metric->help, metric->name,
				    metric->type);
		if (!*metric->section)
			row_write(metric, status, status, out);
		json_array_foreach(json_object_get(status, metric->section), i,
				   row)
		{
			if (!*metric->only ||
			    !strcmp(word_of(row, *metric->only),
				    metric->only[1]))
				row_write(metric, status, row, out);
		}
	}
}
