// SPDX-License-Identifier: GPL-2.0-only
#include "common/config/method_names.h"

#include <stdio.h>
#include <string.h>

const char *method_name(const struct method *method)
{
	static const char *const names[] = {
#define METHOD_STRING(name, ...) #name,
		METHODS(METHOD_STRING)
#undef METHOD_STRING
	};

	return method->forward < FORWARDS ? names[method->forward] : "unknown";
}

const char *methods_text(int (*is)(const struct method *), const char *between,
			 char text[METHODS_TEXT])
{
	struct method method = {0};
	size_t used = 0;

	text[0] = '\0';
	for (; method.forward < FORWARDS; method.forward++) {
		if (is(&method) && used < METHODS_TEXT)
			used += (size_t)snprintf(
				text + used, METHODS_TEXT - used, "%s%s",
				used ? between : "", method_name(&method));
	}
	return text;
}

static const struct {
	const char *word;
	int (*is)(const struct method *);
} words[] = {
	{"@by-address", method_is_by_address},
	{"@returning", method_returns},
	{"@crossing", method_crosses},
	{"@encapsulating", method_encapsulates},
	{"@marking", method_is_by_mark},
	{"@overwriting", method_overwrites_vip},
	{"@routed", method_is_routed},
};

const char *methods_in_help(const char *help, char text[METHODS_HELP])
{
	char names[METHODS_TEXT], *last;
	size_t used = 0, i;

	while (*help && used < METHODS_HELP - 1) {
		for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			if (!strncmp(help, words[i].word,
				     strlen(words[i].word)))
				break;
		}
		if (i == sizeof(words) / sizeof(words[0])) {
			text[used++] = *help++;
			continue;
		}
		help += strlen(words[i].word);
		methods_text(words[i].is, "`, `", names);
		last = strrchr(names, ',');
		used += (size_t)snprintf(
			text + used, METHODS_HELP - used,
			last ? "`%.*s and%s`" : "`%.*s%s`",
			(int)(last ? (size_t)(last - names) : strlen(names)),
			names, last ? last + 1 : "");
	}
	text[used < METHODS_HELP ? used : METHODS_HELP - 1] = '\0';
	return text;
}
