// SPDX-License-Identifier: GPL-2.0-only
/* refusal.c - see refusal.h */
#include "common/config/refusal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

int refuse(const struct refusal *refusal, unsigned int line, const char *format,
	   ...)
{
	va_list arguments;
	int used;

	if (line)
		used = snprintf(refusal->text, refusal->size,
				"%s:%u: ", refusal->name, line);
	else
		used = snprintf(refusal->text, refusal->size,
				"%s: ", refusal->name);
	if (used < 0 || (size_t)used >= refusal->size)
		return -1;

	va_start(arguments, format);
	vsnprintf(refusal->text + used, refusal->size - used, format,
		  arguments);
	va_end(arguments);
	return -1;
}

int refuse_memory(const struct refusal *refusal)
{
	return refuse(refusal, 0, "%s", strerror(ENOMEM));
}

/* C0, DEL and, in UTF-8, C1: U+0080 to U+009F is C2 80 to C2 9F. */
static bool is_control(const unsigned char *text, size_t left)
{
	return *text < 0x20 || *text == 0x7f ||
	       (*text == 0xc2 && left > 1 && text[1] < 0xa0);
}

static bool continues_character(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

const char *quoted(char out[QUOTED_SIZE], const char *text, size_t length)
{
	/*
	 * Room for what may follow a byte: "\xNN" three times, '..."' and the
	 * NUL.
	 */
	const size_t most = QUOTED_SIZE - 20;
	const unsigned char *in = (const unsigned char *)text;
	size_t used = 0;
	size_t i;

	out[used++] = '"';
	for (i = 0; i < length; i++) {
		if (used >= most && !continues_character(in[i]))
			break;
		if (is_control(in + i, length - i)) {
			used += sprintf(out + used, "\\x%02x", in[i]);
			if (in[i] == 0xc2)
				used += sprintf(out + used, "\\x%02x", in[++i]);
		} else {
			out[used++] = text[i];
		}
	}
	used += sprintf(out + used, i < length ? "...\"" : "\"");
	return out;
}
