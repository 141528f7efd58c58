// SPDX-License-Identifier: GPL-2.0-only
/*
 * cli.c - from argv to a verb, and the messages around it
 *
 * The help is printed from the tables of verbs and options, so it names only
 * what exists. Help goes to stdout with status 0. A wrong command gets one
 * line, and the one that helps, on stderr with status 2.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/base/printing.h"
#include "common/cli/cli.h"

#ifndef L3DSR_VERSION
#define L3DSR_VERSION "unknown"
#endif

static const struct verb *verb_find(const struct role *role, const char *name)
{
	const struct verb *verb;

	for (verb = role->verbs; verb->name; verb++) {
		if (!strcmp(verb->name, name))
			return verb;
	}
	return NULL;
}

static int help(const struct role *role)
{
	const struct verb *verb;

	printf("%s - %s\n\nUsage: %s VERB [...]\n\n", role->name, role->what,
	       role->name);
	for (verb = role->verbs; verb->name; verb++) {
		printf("  ");
		options_synopsis(role, verb, stdout);
		printf("\n        %s\n", verb->help);
	}
	printf("\n'%s VERB --help' says what its options mean.\n"
	       "FILE is " DEFAULT_CONFIG " where none is named, IFACE is "
	       "" DEFAULT_INTERFACE ".\n"
	       "Exit status: 0 done, 1 failed, 2 usage, 3 a problem found.\n",
	       role->name);
	return EXIT_DONE;
}

static int verb_help(const struct role *role, const struct verb *verb)
{
	options_synopsis(role, verb, stdout);
	printf("\n        %s\n\n", verb->help);
	options_help(role, verb, stdout);
	if (verb->run == verb_doctor)
		doctor_print_examinations(role);
	if (verb->run == verb_check) {
		printf("\nWhat FILE may say:\n\n");
		config_print_keys(stdout);
	}
	return EXIT_DONE;
}

static int misused(const struct role *role, const char *word)
{
	if (word)
		fprintf(stderr, "%s: cannot run '%s': no such verb\n",
			role->name, word);
	else
		fprintf(stderr, "%s: cannot run: no verb is named\n",
			role->name);
	fprintf(stderr, "  try: %s --help\n", role->name);
	return EXIT_USAGE;
}

static bool asks_for_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h") ||
	       !strcmp(word, "help");
}

static int run(const struct role *role, int argc, char **argv)
{
	const struct verb *verb;
	struct options options;

	if (argc < 2)
		return misused(role, NULL);
	if (asks_for_help(argv[1]) && argc == 2)
		return help(role);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("%s %s (map layout %s)\n", role->name, L3DSR_VERSION,
		       L3DSR_LAYOUT);
		return EXIT_DONE;
	}
	/* `lbr help up` is `lbr up --help`. */
	if (asks_for_help(argv[1])) {
		verb = verb_find(role, argv[2]);
		return verb ? verb_help(role, verb) : misused(role, argv[2]);
	}
	verb = verb_find(role, argv[1]);
	if (!verb)
		return misused(role, argv[1]);
	if (options_parse(role, verb, argc - 1, argv + 1, &options))
		return EXIT_USAGE;
	return options.help ? verb_help(role, verb) : verb->run(role, &options);
}

static void warn(const struct fault *fault)
{
	fflush(stdout);
	fprintf(stderr, "%s: warning: %s\n", tool.name, fault->cause);
	if (*fault->hint)
		fprintf(stderr, "  try: %s\n", fault->hint);
}

int cli_main(const struct role *role, int argc, char **argv)
{
	int rc, error;

	/* A reader that has gone must not stop a change half way. */
	signal(SIGPIPE, SIG_IGN);
	printing_start();
	fault_warnings_to(warn);
	rc = run(role, argc, argv);
	error = printing_end();
	if (!error)
		return rc;
	/* `| head -1` has got what it wanted. */
	if (error != EPIPE)
		fprintf(stderr, "%s: cannot write to standard output: %s\n",
			role->name, strerror(error));
	return rc == EXIT_USAGE ? rc : EXIT_FAILED;
}

int cli_failed(const struct role *role, const struct fault *fault)
{
	fflush(stdout);
	fprintf(stderr, "%s: %s\n", role->name, fault->cause);
	if (*fault->hint)
		fprintf(stderr, "  try: %s\n", fault->hint);
	return EXIT_FAILED;
}
