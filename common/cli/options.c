// SPDX-License-Identifier: GPL-2.0-only
/*
 * options.c - see options.h
 *
 * getopt_long() gets only the verb's own options, so it refuses an option of
 * another verb like any unknown one.
 */
#include "common/cli/options.h"

#include <getopt.h>
#include <string.h>

#include "common/kernel/role.h"

#define FLAG(member)  NULL, OPTION_FLAG, offsetof(struct options, member)
#define WORD(member)  OPTION_WORD, offsetof(struct options, member)
#define WORDS(member) OPTION_WORDS, offsetof(struct options, member)

/* clang-format off */
#define LISTEN_HELP(where)                                                     \
	"where the status page and metrics are served (default: " where        \
	"; none: nowhere)"

static const struct option_row rows[] = {
	{'i', "interface", "IFACE", WORDS(interfaces), "down", NULL,
	 "detach from IFACE only (repeatable; default: from all)"},
	{'i', "interface", "IFACE", WORDS(interfaces), "up", NULL,
	 "attach to IFACE (repeatable; default: as attached, or "
	 DEFAULT_INTERFACE ")"},
	{'m', "mode", "auto|native|generic", WORD(mode), "up", NULL,
	 "XDP mode; auto: as attached, or generic on veth, native elsewhere"},
	{'c', "config", "FILE", WORD(config), "up apply check run doctor", NULL,
	 "the configuration file (default: " DEFAULT_CONFIG ")"},
	{'t', "trace", "off|new|all", WORD(trace), "up", NULL,
	 "set the trace, as the verb trace does (default: leave it)"},
	{'D', "drop-flows", FLAG(drop_flows), "up", "lbr",
	 "begin without flows, over another map layout or nat-table-size"},
	{'D', "drop-flows", FLAG(drop_flows), "up", "bkd",
	 "take over a build whose maps have another layout, without its flows"},
	{'a', "address", "ADDRESS", WORDS(addresses), "up", "bkd",
	 "take ADDRESS for one of this host's own (repeatable)"},
	{'s', "service", "SERVICE", WORD(service), "drain undrain weight",
	 "lbr", "only for SERVICE, as in 192.0.2.1:80/tcp (default: for all)"},
	{'l', "listen", "ADDRESS:PORT", WORD(listen), "run", "lbr",
	 LISTEN_HELP(LBR_LISTEN)},
	{'l', "listen", "ADDRESS:PORT", WORD(listen), "run", "bkd",
	 LISTEN_HELP(BKD_LISTEN)},
	{'n', "dry-run", FLAG(dry_run), "apply", NULL,
	 "print the difference, change nothing"},
	{'N', "now", FLAG(now), "up apply", "lbr",
	 "cut the flows of backends that are not in the file any more"},
	{'o', "output", "FILE", WORD(output), "plan", "lbr",
	 "write the file of the first step to FILE"},
	{'j', "json", FLAG(json), "show doctor explain watch plan", NULL,
	 "print JSON"},
	{'i', "interface", "IFACE", WORDS(interfaces), "explain", "lbr",
	 "the packet comes in by IFACE (default: the first that is attached)"},
	{'s', "syn", FLAG(syn), "explain", "lbr",
	 "a packet that opens a TCP connection (default: a later one)"},
	{'e', "error", FLAG(error), "explain", "lbr",
	 "an ICMP error saying that a packet to the client was too big"},
	{'v', "vlan", "ID[,ID]", WORD(vlan), "explain", "lbr",
	 "the packet has this tag, or these two, the outer one first"},
	{'b', "backend", "ADDRESS", WORD(backend), "forget", "lbr",
	 "only for the path to this backend (default: all)"},
	{'a', "all", FLAG(all), "show", NULL,
	 "also show the reasons that have counted no packet (JSON always has them)"},
	{'w', "watch", FLAG(watch), "show", NULL,
	 "every second, show what the reasons have counted in it"},
	{'h', "help", FLAG(help), NULL, NULL,
	 "print this, and do nothing else"},
	{0},
};
/* clang-format on */

#define MAX_OPTIONS (sizeof(rows) / sizeof(rows[0]))

/* Is `word` in `list`, whose entries `separator` separates? */
static bool is_among(const char *list, char separator, const char *word)
{
	const char separators[] = {separator, '\0'};
	size_t length;

	for (;; list += length + 1) {
		length = strcspn(list, separators);
		if (strlen(word) == length && !strncmp(list, word, length))
			return true;
		if (!list[length])
			return false;
	}
}

/* May `word` stand for `argument`? */
static bool is_allowed(const char *argument, const char *word)
{
	return !strchr(argument, '|') || is_among(argument, '|', word);
}

const struct option_row *option_next(const struct role *role,
				     const struct verb *verb,
				     const struct option_row *after)
{
	const struct option_row *row;

	for (row = after ? after + 1 : rows; row->letter; row++) {
		if ((!row->role || !strcmp(row->role, role->name)) &&
		    (!row->verbs || is_among(row->verbs, ' ', verb->name)))
			return row;
	}
	return NULL;
}

static const struct option_row *option_find(const struct role *role,
					    const struct verb *verb, int letter)
{
	const struct option_row *row = NULL;

	while ((row = option_next(role, verb, row))) {
		if (row->letter == letter)
			return row;
	}
	return NULL;
}

void options_synopsis(const struct role *role, const struct verb *verb,
		      FILE *out)
{
	const struct option_row *row = NULL;

	fprintf(out, "%s %s", role->name, verb->name);
	while ((row = option_next(role, verb, row))) {
		/* Every verb has these, so the usage lines leave them out. */
		if (!row->verbs)
			continue;
		fprintf(out, " [-%c%s%s]%s", row->letter,
			row->argument ? " " : "", row->argument ?: "",
			row->kind == OPTION_WORDS ? "..." : "");
	}
	if (verb->argument)
		fprintf(out, " [%s]", verb->argument);
	if (verb->arguments)
		fprintf(out, " %s", verb->arguments);
}

void options_help(const struct role *role, const struct verb *verb, FILE *out)
{
	const struct option_row *row = NULL;

	while ((row = option_next(role, verb, row)))
		fprintf(out, "  -%c, --%s%s%s\n        %s\n", row->letter,
			row->name, row->argument ? " " : "",
			row->argument ?: "", row->help);
}

static int wrong(const struct role *role, const struct verb *verb,
		 const char *what, const char *word)
{
	fprintf(stderr, "%s: cannot run '%s': %s '%s'\n  usage: ", role->name,
		verb->name, what, word);
	options_synopsis(role, verb, stderr);
	fputc('\n', stderr);
	return -1;
}

/* getopt_long() has refused a letter, or a long name. */
static int wrong_option(const struct role *role, const struct verb *verb,
			bool lacks, const char *word)
{
	const char letter[] = {'-', (char)optopt, '\0'};

	return wrong(role, verb,
		     lacks ? "a value is missing after" : "wrong option",
		     strncmp(word, "--", 2) && optopt ? letter : word);
}

/* One option from getopt_long(). */
static int option_take(const struct role *role, const struct verb *verb,
		       const struct option_row *row, struct options *options)
{
	void *field = (char *)options + row->offset;
	struct names *names;

	if (row->argument && !is_allowed(row->argument, optarg))
		return wrong(role, verb, "no such choice:", optarg);
	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)field = true;
		break;
	case OPTION_WORD:
		*(const char **)field = optarg;
		break;
	case OPTION_WORDS:
		names = field;
		if (names->count == MAX_NAMED)
			return wrong(role, verb, "too many of the same, at",
				     optarg);
		names->name[names->count++] = optarg;
		break;
	}
	return 0;
}

/* What getopt_long() needs; `letters` begins with its colon. */
static void describe(const struct role *role, const struct verb *verb,
		     char *letters, struct option *names)
{
	const struct option_row *row = NULL;

	*letters++ = ':';
	while ((row = option_next(role, verb, row))) {
		names->name = row->name;
		names->has_arg =
			row->argument ? required_argument : no_argument;
		names->val = row->letter;
		names++;
		*letters++ = row->letter;
		if (row->argument)
			*letters++ = ':';
	}
}

/* Takes the arguments that are required, and no others. */
static int arguments_take(const struct role *role, const struct verb *verb,
			  int count, char **given, struct options *options)
{
	const char *each;
	int wanted = 1, i;

	for (each = verb->arguments; *each; each++)
		wanted += *each == ' ';
	if (count > wanted)
		return wrong(role, verb, "unexpected argument", given[wanted]);
	if (count < wanted)
		return wrong(role, verb, "an argument is missing, of",
			     verb->arguments);
	for (i = 0; i < wanted && i < MAX_ARGUMENTS; i++)
		options->arguments[i] = given[i];
	return 0;
}

int options_parse(const struct role *role, const struct verb *verb, int argc,
		  char **argv, struct options *options)
{
	struct option names[MAX_OPTIONS] = {};
	char letters[2 * MAX_OPTIONS] = "";
	int letter, most;

	memset(options, 0, sizeof(*options));
	describe(role, verb, letters, names);
	opterr = 0;
	optind = 1;
	while ((letter = getopt_long(argc, argv, letters, names, NULL)) != -1) {
		if (letter == '?' || letter == ':')
			return wrong_option(role, verb, letter == ':',
					    argv[optind - 1]);
		if (option_take(role, verb, option_find(role, verb, letter),
				options))
			return -1;
	}
	if (verb->arguments && !options->help)
		return arguments_take(role, verb, argc - optind, argv + optind,
				      options);
	most = !verb->argument ? 0 : strchr(verb->argument, ' ') ? 2 : 1;
	if (argc - optind > most)
		return wrong(role, verb, "unexpected argument",
			     argv[optind + most]);
	options->argument = argv[optind];
	options->second = options->argument ? argv[optind + 1] : NULL;
	if (options->argument && !is_allowed(verb->argument, options->argument))
		return wrong(role, verb, "no such choice:", options->argument);
	return 0;
}
