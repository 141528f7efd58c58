/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * options.h - the table of all options of all verbs
 *
 * A row says an option's letter and name, its argument, which verbs of which
 * tool have it, its meaning, and the field that it fills. Parsing, usage lines,
 * --help and the manual use this table; a new option is a new row and a new
 * field.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define MAX_ARGUMENTS 2
#define MAX_NAMED     16 /* interfaces, addresses on one command line */

struct names {
	char *name[MAX_NAMED + 1]; /* NULL ends */
	int count;
};

/* What followed the verb on the command line. */
struct options {
	struct names interfaces;
	struct names addresses;
	const char *mode;
	const char *trace;
	const char *config;
	const char *service;
	const char *listen;
	const char *output;
	bool dry_run;
	bool now;
	bool drop_flows;
	bool json;
	bool all;
	bool help;
	bool syn;
	bool error;
	const char *vlan;
	const char *backend;
	bool watch;
	const char *argument; /* the one after the options, or NULL */
	const char *second;   /* and the one after it, or NULL */
	const char *arguments[MAX_ARGUMENTS]; /* the required ones */
};

enum option_kind {
	OPTION_FLAG,  /* bool */
	OPTION_WORD,  /* const char * */
	OPTION_WORDS, /* struct names: may be repeated */
};

struct option_row {
	char letter;
	const char *name;
	const char *argument; /* "FILE"; "a|b": one of these; NULL: none */
	enum option_kind kind;
	size_t offset;	   /* of the field in struct options */
	const char *verbs; /* "up apply"; NULL: every one */
	const char *role;  /* the tool that has it; NULL: both */
	const char *help;
};

struct role;
struct verb;

/*
 * The verb's first option after `after`, or with NULL its first. NULL if there
 * is none.
 */
const struct option_row *option_next(const struct role *role,
				     const struct verb *verb,
				     const struct option_row *after);

/* "lbr up [-i IFACE]... [-c FILE]", without a newline. */
void options_synopsis(const struct role *role, const struct verb *verb,
		      FILE *out);
/* Two lines for each option. */
void options_help(const struct role *role, const struct verb *verb, FILE *out);

/*
 * Parses a verb's arguments; argv[0] is the verb. Returns 0, or -1 after saying
 * what is wrong (exit status EXIT_USAGE).
 */
int options_parse(const struct role *role, const struct verb *verb, int argc,
		  char **argv, struct options *options);
