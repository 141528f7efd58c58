// SPDX-License-Identifier: GPL-2.0-only
/*
 * complete - print the bash completion of a tool, from the tool's own tables
 *
 * Linked with the tables of one tool, lbr or bkd. The output is for
 * bash-completion, or to be sourced.
 */
#include <stdio.h>
#include <string.h>

#include "common/cli/options.h"
#include "common/kernel/role.h"

/* Commands that print the values of an argument. */
static const struct {
	const char *argument, *words;
} known[] = {
	{"FILE", NULL}, /* the shell has its own completion */
	{"IFACE", "$(cd /sys/class/net && echo *)"},
	{"BACKEND", "$(lbr show -j backends 2>/dev/null | "
		    "sed -n 's/^ *\"backend\": \"\\(.*\\)\",$/\\1/p')"},
};

/* The values of an argument: those of "a|b", or of the table above. */
static void reply(const char *argument)
{
	const char *c;
	size_t i;

	if (strchr(argument, '|')) {
		fputs("\t\tCOMPREPLY=($(compgen -W '", stdout);
		for (c = argument; *c; c++)
			putchar(*c == '|' ? ' ' : *c);
		puts("' -- \"$word\"))");
		return;
	}
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strncmp(known[i].argument, argument,
			    strlen(known[i].argument)))
			continue;
		if (known[i].words)
			printf("\t\tCOMPREPLY=($(compgen -W \"%s\" -- "
			       "\"$word\"))\n",
			       known[i].words);
		else
			puts("\t\tcompopt -o filenames 2>/dev/null\n"
			     "\t\tCOMPREPLY=($(compgen -f -- \"$word\"))");
		return;
	}
	puts("\t\t:");
}

static void of_option(const struct verb *verb, const struct option_row *row)
{
	if (!row->argument)
		return;
	printf("\t'%s -%c' | '%s --%s')\n", verb->name, row->letter, verb->name,
	       row->name);
	reply(row->argument);
	puts("\t\treturn\n\t\t;;");
}

static void of_verb(const struct verb *verb)
{
	const char *argument = verb->arguments ?: verb->argument;
	const struct option_row *row = NULL;

	printf("\t%s)\n", verb->name);
	if (argument)
		reply(argument);
	fputs("\t\t[[ $word != -* ]] || COMPREPLY=($(compgen -W '", stdout);
	while ((row = option_next(&tool, verb, row)))
		printf("-%c --%s ", row->letter, row->name);
	puts("' -- \"$word\"))\n\t\t;;");
}

int main(void)
{
	const struct option_row *row;
	const struct verb *verb;

	printf("# bash completion for %s(8), out of its tables\n"
	       "# shellcheck shell=bash disable=SC2016,SC2207\n"
	       "_%s() {\n"
	       "\tlocal word=$2 verb=${COMP_WORDS[1]-}\n"
	       "\tCOMPREPLY=()\n"
	       "\tif ((COMP_CWORD == 1)); then\n"
	       "\t\tCOMPREPLY=($(compgen -W 'help --help --version ",
	       tool.name, tool.name);
	for (verb = tool.verbs; verb->name; verb++)
		printf("%s ", verb->name);
	puts("' -- \"$word\"))\n\t\treturn\n\tfi\n"
	     "\tcase \"$verb $3\" in");
	for (verb = tool.verbs; verb->name; verb++) {
		row = NULL;
		while ((row = option_next(&tool, verb, row)))
			of_option(verb, row);
	}
	puts("\tesac\n\tcase $verb in");
	for (verb = tool.verbs; verb->name; verb++)
		of_verb(verb);
	printf("\tesac\n}\ncomplete -F _%s %s\n", tool.name, tool.name);
	return fflush(stdout) != 0;
}
