/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * refusal.h - why a file is refused, in one line
 *
 * Every refusal reads "FILE:LINE: what, and what is allowed" and quotes the
 * user's own text. That text is not trusted: it is limited in length and cannot
 * bring a newline or a terminal's control codes into the message.
 */
#pragma once

#include <stddef.h>

/* Where the line is written: the caller's buffer. Nothing here prints. */
struct refusal {
	const char *name; /* of the file, as the user gave it */
	char *text;
	size_t size;
};

/*
 * Writes "NAME:LINE: ...", or "NAME: ..." if line is 0. Always returns -1, so
 * that a caller can refuse and return in one statement.
 */
__attribute__((format(printf, 3, 4))) int refuse(const struct refusal *refusal,
						 unsigned int line,
						 const char *format, ...);

/* The same for a lack of memory. */
int refuse_memory(const struct refusal *refusal);

/* Room for a quoted text, with its quotes and the mark that it was cut. */
#define QUOTED_SIZE 96

/* `text` in quotes, control codes as \xNN, cut at about 60 bytes. */
const char *quoted(char out[QUOTED_SIZE], const char *text, size_t length);
