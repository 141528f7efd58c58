/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cli.h - from argv to a verb, and the messages around it
 */
#pragma once

#include "common/tool/role.h"

#define MAX_NAMED 16 /* interfaces, addresses on one command line */

/* What the verbs take; each verb says which of it, see options_parse(). */
struct options {
	const char *config;
	char *interfaces[MAX_NAMED + 1]; /* NULL ends */
	int interface_count;
	char *addresses[MAX_NAMED];
	int address_count;
	const char *mode;
	const char *trace;
	bool json;
	bool dry_run;
	const char *argument; /* the word behind the options, or NULL */
};

/* Runs argv[1] out of role->verbs. Returns the exit status. */
int cli_main(const struct role *role, int argc, char **argv);

/*
 * Parses a verb's words. `letters`: the options it takes, out of
 * "a:c:i:m:t:jn"; `arguments`: how many words may follow them, 0 or 1. Returns
 * 0, or -1 after saying what is wrong (exit status EXIT_USAGE).
 */
int options_parse(const struct role *role, const struct verb *verb, int argc,
		  char **argv, const char *letters, int arguments,
		  struct options *options);

/* Prints the fault as "lbr: CAUSE" and its hint. Returns EXIT_FAILED. */
int cli_failed(const struct role *role, const struct fault *fault);
/* The same for what is wise and not necessary. */
void cli_warn(const struct role *role, const struct fault *fault);

/* The verb of this name; the verbs' own code asks for its own row. */
const struct verb *cli_verb(const struct role *role, const char *name);

/* "off", "new" or "all"; NULL text is "off". Returns 0, or -1: no such. */
int trace_parse(const char *text, enum trace *trace);
const char *trace_name(__u32 trace);
/* Can this kernel do it? 0, or -1 with a fault. */
int trace_possible(enum trace trace, struct fault *fault);

int verb_up(const struct role *role, int argc, char **argv);
int verb_down(const struct role *role, int argc, char **argv);
int verb_apply(const struct role *role, int argc, char **argv);
int verb_check(const struct role *role, int argc, char **argv);
int verb_show(const struct role *role, int argc, char **argv);
int verb_trace(const struct role *role, int argc, char **argv);

/* The rows that both tables share. */
/* clang-format off */
#define VERB_UP(more) { "up", "[-i IFACE]... [-m auto|native|generic] [-c FILE] [-t off|new|all]" more, \
	"load, attach and pin the program; replace it where it runs", verb_up }
#define VERB_DOWN { "down", "", \
	"detach, and put back what `up` changed", verb_down }
#define VERB_APPLY { "apply", "[-n|--dry-run] [FILE]", \
	"make the running state equal to FILE; print the difference", verb_apply }
#define VERB_CHECK { "check", "[FILE]", \
	"validate FILE; exit 3 where something is wrong with it", verb_check }
#define VERB_SHOW(sections) { "show", "[-j] " sections, \
	"what runs, and what it has counted", verb_show }
#define VERB_TRACE { "trace", "[off|new|all]", \
	"one line a decision in trace_pipe; new: the first of each flow", verb_trace }
/* clang-format on */
