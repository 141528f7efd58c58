// SPDX-License-Identifier: GPL-2.0-only
/*
 * keys_text.c - what a key allows, for people
 */
#include "common/config/keys.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/config/config.h"
#include "common/config/method_names.h"

__attribute__((format(printf, 2, 3))) static void
append(char text[ALLOWED_SIZE], const char *format, ...)
{
	size_t used = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + used, ALLOWED_SIZE - used, format, arguments);
	va_end(arguments);
}

const char *duration_text(__u32 milliseconds, char text[DURATION_SIZE])
{
	if (milliseconds && milliseconds % KEY_HOUR == 0)
		snprintf(text, DURATION_SIZE, "%uh", milliseconds / KEY_HOUR);
	else if (milliseconds && milliseconds % (60 * KEY_SECOND) == 0)
		snprintf(text, DURATION_SIZE, "%umin",
			 milliseconds / (60 * KEY_SECOND));
	else if (milliseconds % KEY_SECOND == 0)
		snprintf(text, DURATION_SIZE, "%us", milliseconds / KEY_SECOND);
	else
		snprintf(text, DURATION_SIZE, "%ums", milliseconds);
	return text;
}

static void append_duration(char text[ALLOWED_SIZE], __u32 milliseconds)
{
	char duration[DURATION_SIZE];

	append(text, "%s", duration_text(milliseconds, duration));
}

const char *key_types(__u32 types, char text[ALLOWED_SIZE])
{
	const struct keyword *keyword;

	text[0] = '\0';
	for (keyword = check_keywords; keyword->name; keyword++) {
		if (types & TYPE(keyword->value))
			append(text, "%s%s", *text ? " or " : "",
			       keyword->name);
	}
	return text;
}

static void append_keywords(char text[ALLOWED_SIZE],
			    const struct keyword *keywords)
{
	for (const struct keyword *keyword = keywords; keyword && keyword->name;
	     keyword++)
		append(text, "%s%s", *text ? " or " : "", keyword->name);
}

const char *key_allowed(const struct key *key, char text[ALLOWED_SIZE])
{
	text[0] = '\0';
	switch (key->kind) {
	case KIND_LIST:
		append(text, "a list of %u to %u %ss", key->min, key->max,
		       levels[key->entry].name);
		break;
	case KIND_PREFIXES:
		append(text, "a list of %u to %u addresses%s", key->min,
		       key->max, key->groups ? "" : " or prefixes");
		break;
	case KIND_RECORD:
		append(text, "a mapping");
		break;
	case KIND_TEXT:
		append(text, "%u to %zu printable ASCII characters", key->min,
		       key->size - 1);
		break;
	case KIND_ADDRESS:
		append(text, "an IPv4 or IPv6 unicast address");
		break;
	case KIND_NUMBER:
	case KIND_PORT:
		append(text, "a number from %u to %u", key->min, key->max);
		break;
	case KIND_SHARE:
		append(text, "a number from %u to %u or a percentage to 100%%",
		       key->min, key->max);
		break;
	case KIND_PRIME:
		append(text, "a prime from %u to %u", key->min, key->max);
		break;
	case KIND_DURATION:
		append(text, "a duration from ");
		append_duration(text, key->min);
		append(text, " to ");
		append_duration(text, key->max);
		append(text, ", with its unit (ms, s, min or h)");
		break;
	case KIND_KEYWORD:
		break;
	}
	append_keywords(text, key->keywords);
	return text;
}

const char *key_names(enum level level, char text[ALLOWED_SIZE])
{
	text[0] = '\0';
	for (size_t i = 0; i < key_count; i++)
		if (keys[i].level == level)
			append(text, "%s%s", *text ? ", " : "", keys[i].name);
	return text;
}

void config_print_keys(FILE *out)
{
	fputs("| Key | Of a | Allowed | Default | Meaning |\n"
	      "|---|---|---|---|---|\n",
	      out);
	for (size_t i = 0; i < key_count; i++) {
		const struct key *key = &keys[i];
		char allowed[ALLOWED_SIZE], help[METHODS_HELP];

		fprintf(out, "| `%s` | %s | %s | %s | %s |\n", key->name,
			levels[key->level].name, key_allowed(key, allowed),
			!key->standard	 ? "required"
			: *key->standard ? key->standard
					 : "(empty)",
			methods_in_help(key->help, help));
	}
}
