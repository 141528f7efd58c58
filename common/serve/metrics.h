/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * metrics.h - print a snapshot in Prometheus' text format, version 0.0.4
 *
 * A row of a tool's table is a metric: a field of a section's rows, with the
 * fields that become its labels.
 *
 * A histogram is in seconds. Its field is the sum of what was observed, in
 * milliseconds; its buckets are the rows of another section that have the same
 * labels, in their order: up to "at-most-ms" (null: without a limit, the last)
 * were observed "count", those of the rows before not counted again.
 */
#pragma once

struct evbuffer;
struct json_t;

struct metric {
	const char *name, *type, *help;
	const char *section; /* "": the snapshot itself */
	const char *field;   /* NULL: 1, only for the labels */
	/*
	 * Is the field this keyword? "up|degraded". Of a histogram: the section
	 * of its buckets.
	 */
	const char *is;
	const char *labels[6]; /* NULL ends */
	const char *only[2]; /* only rows whose field [0] is the keyword [1] */
};

/* The last of `rows` has a name of NULL. */
void metrics_write(const struct metric *rows, const struct json_t *status,
		   struct evbuffer *out);
