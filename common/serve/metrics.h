/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * metrics.h - a snapshot in Prometheus' text format, version 0.0.4
 *
 * A row of a tool's table is a metric: which field of which section's rows,
 * told apart by which of their words.
 */
#pragma once

struct evbuffer;
struct json_t;

struct metric {
	const char *name, *type, *help;
	const char *section; /* ""  : the snapshot itself */
	const char *field;   /* NULL: 1, for the labels' sake */
	const char *is;	     /* whether the field is this word: "up|degraded" */
	const char *labels[5]; /* NULL ends */
	const char *only[2];   /* rows whose field [0] is the word [1] */
};

/* `rows` end with a name of NULL. */
void metrics_write(const struct metric *rows, const struct json_t *status,
		   struct evbuffer *out);
