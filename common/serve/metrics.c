// SPDX-License-Identifier: GPL-2.0-only
#include "common/serve/metrics.h"

#include <event2/buffer.h>
#include <jansson.h>
#include <stdbool.h>
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

static void row_write(const struct metric *metric, const json_t *row,
		      struct evbuffer *out)
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
	evbuffer_add_printf(out, "%s", metric->name);
	for (; *label; label++) {
		evbuffer_add(out, label == metric->labels ? "{" : ",", 1);
		label_write(row, *label, out);
	}
	if (*metric->labels)
		evbuffer_add(out, "}", 1);
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
			row_write(metric, status, out);
		json_array_foreach(json_object_get(status, metric->section), i,
				   row)
		{
			if (!*metric->only ||
			    !strcmp(word_of(row, *metric->only),
				    metric->only[1]))
				row_write(metric, row, out);
		}
	}
}
