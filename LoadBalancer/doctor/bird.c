// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/doctor/bird.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/address.h"
#include "common/core/address.h"
#include "common/doctor/command.h"

/* Only what shows (-r), and not for long. */
#define BIRDC "timeout", "2", "birdc", "-r", "show"

static void append(char *list, size_t size, const char *name)
{
	size_t used = strlen(list);

	snprintf(list + used, size - used, "%s%s", used ? ", " : "", name);
}

/* A line for each: "@NAME", then a line for each route that it was given. */
static void routes_of(const char *name, FILE *out)
{
	const char *const argv[] = {BIRDC, "route", "exported", name, NULL};
	struct command birdc;
	char line[256];

	command_begin(&birdc, argv);
	fprintf(out, "@%s\n", name);
	while (birdc.out && fgets(line, sizeof(line), birdc.out))
		fputs(line, out);
	command_end(&birdc);
}

/* Routing protocols between hosts. */
static bool is_to_neighbours(const char *kind)
{
	static const char *const kinds[] = {"BGP", "OSPF", "RIP", "Babel"};
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!strcmp(kind, kinds[i]))
			return true;
	}
	return false;
}

void bird_ask(struct bird *bird)
{
	const char *const argv[] = {BIRDC, "protocols", NULL};
	struct command birdc;
	char line[256], name[64], kind[32], state[32];
	bool answers = false;
	size_t size;
	FILE *out;

	memset(bird, 0, sizeof(*bird));
	command_begin(&birdc, argv);
	out = open_memstream(&bird->said, &size);
	while (birdc.out && out && fgets(line, sizeof(line), birdc.out)) {
		answers |= !strncmp(line, "BIRD ", 5);
		if (sscanf(line, "%63s %31s %*s %31s", name, kind, state) !=
			    3 ||
		    !is_to_neighbours(kind) || strcmp(state, "up"))
			continue;
		append(bird->by, sizeof(bird->by), name);
		routes_of(name, out);
	}
	command_end(&birdc);
	if (out)
		fclose(out);
	if (answers)
		return;
	free(bird->said);
	bird->said = NULL;
}

void bird_free(struct bird *bird)
{
	free(bird->said);
	bird->said = NULL;
}

bool bird_exports(const struct bird *bird, const struct addr *vip, char *to)
{
	char text[INET6_ADDRSTRLEN], prefix[64], name[64] = "";
	const char *line = bird->said;
	size_t length;

	snprintf(prefix, sizeof(prefix), "%s/%d ", addr_text(vip, text),
		 addr_is_v4(vip) ? 32 : 128);
	length = strlen(prefix);
	*to = '\0';
	for (; line && *line;
	     line += strcspn(line, "\n"), line += *line == '\n') {
		if (*line == '@')
			snprintf(name, sizeof(name), "%.*s",
				 (int)strcspn(line + 1, "\n"), line + 1);
		else if (!strncmp(line, prefix, length))
			append(to, 64, name);
	}
	return *to;
}
