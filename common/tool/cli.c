// SPDX-License-Identifier: GPL-2.0-only
/*
 * cli.c - from argv to a verb, and the messages around it
 *
 * The help is printed from the table of verbs, so it cannot name one that is
 * not there. Help that was asked for goes to stdout with status 0; a wrong
 * command gets one line, and the one that helps, on stderr with status 2.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/tool/cli.h"

#ifndef L3DSR_VERSION
#define L3DSR_VERSION "unknown"
#endif

const struct verb *cli_verb(const struct role *role, const char *name)
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
	for (verb = role->verbs; verb->name; verb++)
		printf("  %s %s%s%s\n        %s\n", role->name, verb->name,
		       *verb->arguments ? " " : "", verb->arguments,
		       verb->help);
	printf("\nFILE is " DEFAULT_CONFIG " where none is named, IFACE is "
	       "" DEFAULT_INTERFACE ".\n"
	       "Exit status: 0 done, 1 failed, 2 usage, 3 a problem found.\n");
	return EXIT_DONE;
}

static int usage(const struct role *role, const struct verb *verb)
{
	if (verb)
		fprintf(stderr, "  usage: %s %s %s\n", role->name, verb->name,
			verb->arguments);
	else
		fprintf(stderr, "  try: %s --help\n", role->name);
	return EXIT_USAGE;
}

int cli_main(const struct role *role, int argc, char **argv)
{
	const struct verb *verb;
	const char *word = argc > 1 ? argv[1] : NULL;

	/* A reader that has gone must not stop a change half way. */
	signal(SIGPIPE, SIG_IGN);
	/* What is printed is read while it happens, also through a pipe. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!word) {
		fprintf(stderr, "%s: cannot run: no verb is named\n",
			role->name);
		return usage(role, NULL);
	}
	if (!strcmp(word, "--help") || !strcmp(word, "-h") ||
	    !strcmp(word, "help"))
		return help(role);
	if (!strcmp(word, "--version") || !strcmp(word, "-V")) {
		printf("%s %s (map layout %s)\n", role->name, L3DSR_VERSION,
		       L3DSR_LAYOUT);
		return EXIT_DONE;
	}
	verb = cli_verb(role, word);
	if (!verb) {
		fprintf(stderr, "%s: cannot run '%s': no such verb\n",
			role->name, word);
		return usage(role, NULL);
	}
	if (argc > 2 &&
	    (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h"))) {
		printf("%s %s %s\n        %s\n", role->name, verb->name,
		       verb->arguments, verb->help);
		if (verb->run == verb_check) {
			printf("\nWhat FILE may say:\n\n");
			config_print_keys(stdout);
		}
		return EXIT_DONE;
	}
	return verb->run(role, argc - 1, argv + 1);
}

int cli_failed(const struct role *role, const struct fault *fault)
{
	fflush(stdout);
	fprintf(stderr, "%s: %s\n", role->name, fault->cause);
	if (*fault->hint)
		fprintf(stderr, "  try: %s\n", fault->hint);
	return EXIT_FAILED;
}

void cli_warn(const struct role *role, const struct fault *fault)
{
	fflush(stdout);
	fprintf(stderr, "%s: warning: %s\n", role->name, fault->cause);
	if (*fault->hint)
		fprintf(stderr, "  try: %s\n", fault->hint);
}

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"interface", required_argument, NULL, 'i'},
	{"mode", required_argument, NULL, 'm'},
	{"address", required_argument, NULL, 'a'},
	{"trace", required_argument, NULL, 't'},
	{"json", no_argument, NULL, 'j'},
	{"dry-run", no_argument, NULL, 'n'},
	{NULL, 0, NULL, 0},
};

static int wrong(const struct role *role, const struct verb *verb,
		 const char *what, const char *word)
{
	fprintf(stderr, "%s: cannot run '%s': %s '%s'\n", role->name,
		verb->name, what, word);
	usage(role, verb);
	return -1;
}

/* One option out of getopt_long. Returns 0, or -1 where there is no room. */
static int option_take(struct options *options, int letter)
{
	switch (letter) {
	case 'c':
		options->config = optarg;
		break;
	case 'i':
		if (options->interface_count == MAX_NAMED)
			return -1;
		options->interfaces[options->interface_count++] = optarg;
		break;
	case 'm':
		options->mode = optarg;
		break;
	case 'a':
		if (options->address_count == MAX_NAMED)
			return -1;
		options->addresses[options->address_count++] = optarg;
		break;
	case 't':
		options->trace = optarg;
		break;
	case 'j':
		options->json = true;
		break;
	case 'n':
		options->dry_run = true;
		break;
	}
	return 0;
}

int options_parse(const struct role *role, const struct verb *verb, int argc,
		  char **argv, const char *letters, int arguments,
		  struct options *options)
{
	int letter;

	memset(options, 0, sizeof(*options));
	opterr = 0;
	optind = 1;
	while ((letter = getopt_long(argc, argv, letters, long_options,
				     NULL)) != -1) {
		if (letter == '?')
			return wrong(role, verb, "wrong or incomplete option",
				     argv[optind - 1]);
		/* The long names are one table for all verbs. */
		if (!strchr(letters, letter))
			return wrong(role, verb, "it does not take",
				     argv[optind - 1]);
		if (option_take(options, letter))
			return wrong(role, verb, "too many of the same, at",
				     optarg);
	}
	if (argc - optind > arguments)
		return wrong(role, verb, "unexpected word",
			     argv[optind + arguments]);
	options->argument = argv[optind];
	return 0;
}
