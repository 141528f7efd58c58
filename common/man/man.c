// SPDX-License-Identifier: GPL-2.0-only
/*
 * man - print a page of the manual: prose, and what the code's tables hold
 *
 * Copies the source of a page, in mdoc(7), to stdout. It is linked with the
 * tables of one tool, lbr or bkd. A line that begins with `@` is replaced by
 * what they hold:
 *
 *	@version	.Os, with the version
 *	@name		.Nm and .Nd
 *	@synopsis	the usage of every verb
 *	@verb NAME	heading, meaning and options of one
 *	@examinations	those of doctor
 *	@reasons	every reason, its action and meaning
 *	@metrics	every metric of `run`, its labels and meaning
 *	@keys LEVEL	every key of a file, a service or a backend
 *	@methods	every forwarding method, and what its columns say
 *it
 *	@pins		the directory of the tool's pins
 *	@copy FILE	or for another source, in this folder
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/cli/options.h"
#include "common/config/keys.h"
#include "common/config/method_names.h"
#include "common/core/reason.h"
#include "common/kernel/bpffs.h"
#include "common/kernel/role.h"
#include "common/serve/status.h"

/* A table's text as sentences of mdoc, each on its own line. */
static void sentence(const char *words)
{
	bool begins = true, inside = false;

	for (; *words; words++) {
		if (*words == '`')
			inside = !inside;
		if (*words == '`')
			fputs(inside ? "\\(oq" : "\\(cq", stdout);
		else if (*words == '\\')
			fputs("\\e", stdout);
		else if (*words == ' ' && !begins && words[-1] == '.')
			putchar('\n');
		else
			putchar(begins ? toupper((unsigned char)*words)
				       : *words);
		begins = *words == ' ' && words[-1] == '.';
	}
	puts(words[-1] == '.' ? "" : ".");
}

/* "FILE", or the values of "a|b", as the rest of a macro's line. */
static void argument(const char *words)
{
	fputs(strchr(words, '|') ? " Cm " : " Ar ", stdout);
	for (; *words; words++)
		printf(*words == '|' ? " %c " : "%c", *words);
}

static void usage(const struct verb *verb)
{
	const struct option_row *row = NULL;

	printf(".Nm\n.Cm %s\n", verb->name);
	while ((row = option_next(&tool, verb, row))) {
		if (!row->verbs)
			continue;
		printf(".Oo Fl %c", row->letter);
		if (row->argument)
			argument(row->argument);
		puts(row->kind == OPTION_WORDS ? " Oc Ns ..." : " Oc");
	}
	if (verb->argument) {
		fputs(".Op", stdout);
		argument(verb->argument);
		putchar('\n');
	}
	if (verb->arguments)
		printf(".Ar %s\n", verb->arguments);
}

static int synopsis(const char *unused)
{
	const struct verb *verb;

	(void)unused;
	for (verb = tool.verbs; verb->name; verb++)
		usage(verb);
	return 0;
}

static void options(const struct verb *verb)
{
	const struct option_row *row = NULL;
	bool any = false;

	while ((row = option_next(&tool, verb, row))) {
		/* The prose says once what every verb takes. */
		if (!row->verbs)
			continue;
		if (!any)
			puts(".Bl -tag -width Ds");
		any = true;
		printf(".It Fl %c , Fl -%s", row->letter, row->name);
		if (row->argument)
			argument(row->argument);
		putchar('\n');
		sentence(row->help);
	}
	if (any)
		puts(".El");
}

static int verb(const char *name)
{
	const struct verb *verb = tool.verbs;

	while (verb->name && strcmp(verb->name, name))
		verb++;
	if (!verb->name)
		return -1;
	printf(".Ss %s\n", verb->name);
	sentence(verb->help);
	options(verb);
	return 0;
}

static int reasons(const char *unused)
{
	(void)unused;
	puts(".Bl -tag -width Ds");
#define REASON_ITEM(name, action, programs, text)                              \
	if ((programs)&tool.in) {                                              \
		puts(".It Cm " #name " Pq Dv XDP_" #action);                   \
		sentence(text);                                                \
	}
	REASONS(REASON_ITEM)
#undef REASON_ITEM
	puts(".El");
	return 0;
}

static int metrics(const char *unused)
{
	const struct metric *metric;
	const char *const *label;

	(void)unused;
	puts(".Bl -tag -width Ds");
	for (metric = tool.status_source->metrics; metric->name; metric++) {
		printf(".It Cm %s", metric->name);
		for (label = metric->labels; *label; label++)
			printf("%s%s", label == metric->labels ? " Pq " : " , ",
			       *label);
		putchar('\n');
		sentence(metric->help);
	}
	puts(".El");
	return 0;
}

static int examinations(const char *unused)
{
	const struct examination *examination;

	(void)unused;
	puts(".Bl -tag -width Ds");
	for (examination = tool.examinations; examination->name;
	     examination++) {
		printf(".It Cm %s\n", examination->name);
		sentence(examination->help);
	}
	puts(".El");
	return 0;
}

static int keys_of(const char *level)
{
	char allowed[ALLOWED_SIZE], help[METHODS_HELP];
	int found = -1;
	size_t i;

	puts(".Bl -tag -width Ds");
	for (i = 0; i < key_count; i++) {
		const struct key *key = &keys[i];

		if (strcmp(levels[key->level].name, level))
			continue;
		found = 0;
		printf(".It Cm %s\n", key->name);
		sentence(methods_in_help(key->help, help));
		printf(".br\nAllowed: %s.\n", key_allowed(key, allowed));
		if (key->standard)
			printf("Default: %s.\n",
			       *key->standard ? key->standard : "(empty)");
		else
			puts("Required.");
	}
	puts(".El");
	return found;
}

/* What follows from the columns of its row. */
static void method_facts(const struct method *method)
{
	static const struct addr ipv4 = {{0, 0, V4_MAPPED, bpf_htonl(1)}},
				 ipv6 = {{bpf_htonl(1)}};
	static const char *const by[] = {
		[RESTORED_BY_ADDRESS] =
			"Two services of one backend address and protocol must "
			"differ in their port, and `any` stands beside no "
			"other. A direct connection to the backend's own "
			"service port is restored, too, and fails.",
		[RESTORED_BY_MARK] =
			"For one backend address, a mark is one VIP. A direct "
			"connection to the backend's own service port works, "
			"unless it bears the mark.",
		[RESTORED_BY_INNER] =
			"The packet itself says its VIP. A direct connection "
			"to the backend's own service port works.",
		[RESTORED_BY_NOTHING] =
			"The backend needs no xdp_bkd, and sees the load "
			"balancer as its client. A direct connection to the "
			"backend's own service port works.",
		[RESTORED_BY_VIP] =
			"The packet itself says its VIP. A direct connection "
			"to the backend's own service port works.",
	};

	sentence(by[method_restored_by(method)]);
	if (method_encapsulates(method))
		printf("Packets are %u bytes longer on the way to an IPv4 "
		       "backend, %u to an IPv6 one.\n",
		       method_overhead(method, &ipv4),
		       method_overhead(method, &ipv6));
	if (method_crosses(method))
		puts("Backends may be of the other family.");
	if (method_returns(method))
		puts("Replies pass the load balancer, which must be the one "
		     "that the request passed.");
	if (!method_is_routed(method))
		puts("Backends must be on the load balancer's own segment.");
	if (!method_is_for_kernel(method))
		puts("The load balancer's kernel cannot forward its packets.");
}

static int methods(const char *unused)
{
	(void)unused;
	puts(".Bl -tag -width Ds");
#define METHOD_ITEM(name, by, ipv4, ipv6, traits, text)                        \
	puts(".It Cm " #name);                                                 \
	sentence(text);                                                        \
	method_facts(&(struct method){.forward = FORWARD_##name});
	METHODS(METHOD_ITEM)
#undef METHOD_ITEM
	puts(".El");
	return 0;
}

static int name(const char *unused)
{
	(void)unused;
	printf(".Nm %s\n.Nd %s\n", tool.name, tool.what);
	return 0;
}

static int version(const char *unused)
{
	(void)unused;
	return puts(".Os l3dsr " L3DSR_VERSION) < 0;
}

static int pins(const char *unused)
{
	(void)unused;
	return printf(".It Pa " BPFFS "/l3dsr/%s-" L3DSR_LAYOUT "/\n",
		      tool.name) < 0;
}

static int copy(const char *file);

static const struct {
	const char *name;
	int (*print)(const char *word);
} parts[] = {
	{"version", version},
	{"name", name},
	{"synopsis", synopsis},
	{"verb", verb},
	{"reasons", reasons},
	{"keys", keys_of},
	{"examinations", examinations},
	{"pins", pins},
	{"copy", copy},
	{"methods", methods},
	{"metrics", metrics},
};

/* Returns 0, or -1 if there is no such part. */
static int part(const char *line)
{
	char name[16] = "", word[16] = "";
	size_t i;

	sscanf(line, "@%15s %15[^\n]", name, word);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!strcmp(parts[i].name, name))
			return parts[i].print(word);
	}
	return -1;
}

static int copy(const char *file)
{
	FILE *source = fopen(file, "re");
	char line[256];
	int rc = source ? 0 : -1;

	while (!rc && fgets(line, sizeof(line), source)) {
		if (*line != '@')
			fputs(line, stdout);
		else if (part(line)) {
			fprintf(stderr, "man: cannot fill in %s: %s has no %s",
				file, tool.name, line);
			rc = -1;
		}
	}
	if (source)
		fclose(source);
	return rc;
}

/* man FILE, in the folder of the sources */
int main(int argc, char **argv)
{
	return argc != 2 || copy(argv[1]) || fflush(stdout);
}
