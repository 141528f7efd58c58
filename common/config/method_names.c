// SPDX-License-Identifier: GPL-2.0-only
#include "common/config/method_names.h"

#include <stdio.h>

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
