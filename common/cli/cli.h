/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cli.h - from argv to a verb, and the messages around it
 */
#pragma once

#include "common/cli/options.h"
#include "common/kernel/kernel.h"
#include "common/kernel/role.h"

/* Runs argv[1] from role->verbs. Returns the exit status. */
int cli_main(const struct role *role, int argc, char **argv);

/* Prints the fault as "lbr: CAUSE" and its hint. Returns EXIT_FAILED. */
int cli_failed(const struct role *role, const struct fault *fault);

/* Parses "off", "new" or "all"; NULL is "off". */
enum trace trace_parse(const char *text);
const char *trace_name(__u32 trace);
/* Sets the trace; does not change whether somebody watches. */
enum trace trace_get(const struct kernel *kernel);
int trace_set(const struct kernel *kernel, enum trace trace);
/* Can this kernel trace? 0, or -1 with a fault. */
int trace_possible(enum trace trace, struct fault *fault);

/*
 * Makes the running state equal to `config`, unless it is a dry run, and prints
 * the difference. Returns 0, or -1 with a fault.
 */
int apply_config(struct kernel *kernel, const struct config *config,
		 bool dry_run, struct fault *fault);

/*
 * Applies the file that the options name. `access` is ACCESS_CHANGE or
 * ACCESS_TRY. Returns 0, or what kernel_open() returns, with a fault.
 */
int apply_file(const struct role *role, const struct options *options,
	       enum access access, struct fault *fault);

int verb_up(const struct role *role, const struct options *options);
int verb_down(const struct role *role, const struct options *options);
int verb_apply(const struct role *role, const struct options *options);
int verb_check(const struct role *role, const struct options *options);
int verb_show(const struct role *role, const struct options *options);
int verb_doctor(const struct role *role, const struct options *options);
/* What doctor looks at, for its help. */
void doctor_print_examinations(const struct role *role);
int verb_trace(const struct role *role, const struct options *options);

/* The rows that both tables have. */
/* clang-format off */
#define VERB_UP { "up", NULL, \
	"load, attach and pin the program; replace it where it runs", verb_up, NULL }
#define VERB_DOWN { "down", NULL, \
	"detach, and put back what `up` changed", verb_down, NULL }
#define VERB_APPLY { "apply", "FILE", \
	"make the running state equal to FILE; print the difference", verb_apply, NULL }
#define VERB_CHECK { "check", "FILE", \
	"validate FILE; exit 3 if something is wrong with it", verb_check, NULL }
#define VERB_SHOW(sections) { "show", sections, \
	"what runs, and what it has counted", verb_show, NULL }
#define VERB_RUN(run) { "run", NULL, \
	"in the foreground, until SIGTERM; SIGHUP applies FILE", run, NULL }
#define VERB_DOCTOR { "doctor", NULL, \
	"look for what is wrong here, and print what mends it; exit 3 on a fail", \
	verb_doctor, NULL }
#define VERB_TRACE { "trace", "off|new|all", \
	"a line for each decision in trace_pipe; new: the first of each flow", verb_trace, NULL }
/* clang-format on */
