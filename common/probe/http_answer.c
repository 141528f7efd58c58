// SPDX-License-Identifier: GPL-2.0-only
#include "common/probe/http_answer.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum at {
	AT_STATUS,
	AT_HEADER,
	AT_BODY,
	AT_CHUNK, /* the line with its length */
	AT_CHUNK_DATA,
	AT_CHUNK_END, /* the empty line behind it */
};

void http_answer_begin(struct http_answer *answer,
		       const struct config_check *check)
{
	const char *body = check->body;
	size_t i, matched = 0;

	memset(answer, 0, sizeof(*answer));
	answer->check = check;
	for (i = 1; *body && body[i]; i++) {
		while (matched && body[i] != body[matched])
			matched = answer->shorter[matched - 1];
		matched += body[i] == body[matched];
		answer->shorter[i] = (__u8)matched;
	}
}

/* The status in "HTTP/1.1 200 OK"; 0: too short to tell, -1: no status line. */
static int status_of(const char *text, size_t length)
{
	static const char head[] = "HTTP/1.";
	size_t known = sizeof(head) - 1;
	int status = 0;
	size_t i;

	if (!length)
		return 0; /* a text is optional */
	if (memcmp(text, head, length < known ? length : known))
		return -1;
	/* The minor version, a blank, three digits, and what ends them. */
	if (length < known + 6)
		return 0;
	for (i = known + 2; i < known + 5; i++) {
		if (!isdigit((unsigned char)text[i]))
			return -1;
		status = status * 10 + text[i] - '0';
	}
	return text[known + 1] == ' ' && status >= 100 ? status : -1;
}

static bool status_is_good(const struct config_check *check, int status)
{
	return check->status ? status == check->status
			     : status >= 200 && status < 400;
}

/* Another answer follows, and that is the one that counts. */
static bool is_interim(const struct http_answer *answer)
{
	return answer->status < 200 && answer->status != answer->check->status;
}

static enum verdict bad(const struct http_answer *answer, const char *what,
			char *why, size_t size)
{
	if (answer->status)
		snprintf(why, size, "status %d, %s", answer->status, what);
	else
		snprintf(why, size, "%s", what);
	return VERDICT_BAD;
}

static enum verdict another_body(const struct http_answer *answer, char *why,
				 size_t size)
{
	return bad(answer, "another body", why, size);
}

/*
 * Called for each byte of the line, so that a verdict comes as early as
 * possible.
 */
static enum verdict judge_status(struct http_answer *answer, char *why,
				 size_t size)
{
	if (answer->status)
		return VERDICT_OPEN;
	answer->status = status_of(answer->line, answer->line_length);
	if (answer->status < 0) {
		answer->status = 0;
		return bad(answer, "no HTTP", why, size);
	}
	if (!answer->status || is_interim(answer))
		return VERDICT_OPEN;
	if (!status_is_good(answer->check, answer->status)) {
		snprintf(why, size, "status %d", answer->status);
		return VERDICT_BAD;
	}
	return *answer->check->body ? VERDICT_OPEN : VERDICT_GOOD;
}

/* The value of a header of this name, else NULL. */
static const char *value_of(const char *line, const char *name)
{
	size_t length = strlen(name);

	if (strncasecmp(line, name, length) || line[length] != ':')
		return NULL;
	line += length + 1;
	return line + strspn(line, " \t");
}

/* Parses `text` that consists of digits only into `*number`. */
static bool number_read(const char *text, unsigned int base, __u64 *number,
			const char **end)
{
	const char *begin = text;
	unsigned int digit;

	for (*number = 0; isxdigit((unsigned char)*text); text++) {
		digit = isdigit((unsigned char)*text)
				? (unsigned int)*text - '0'
				: (unsigned int)tolower(*text) - 'a' + 10;
		if (digit >= base)
			break;
		if (*number >> 56)
			return false;
		*number = *number * base + digit;
	}
	*end = text + strspn(text, " \t");
	return text != begin;
}

static enum verdict length_header(struct http_answer *answer, const char *value,
				  char *why, size_t size)
{
	const char *end;
	__u64 number;

	if (!number_read(value, 10, &number, &end) || *end ||
	    (answer->has_length && number != answer->left))
		return bad(answer, "Content-Length that is no number", why,
			   size);
	answer->has_length = true;
	answer->left = number;
	return VERDICT_OPEN;
}

/* What follows the last comma says how the body ends. */
static void coding_header(struct http_answer *answer, const char *value)
{
	const char *last = strrchr(value, ',');
	size_t length = strlen("chunked");

	last = last ? last + 1 : value;
	last += strspn(last, " \t");
	answer->chunked = !strncasecmp(last, "chunked", length) &&
			  !last[length + strspn(last + length, " \t")];
	answer->to_the_end = !answer->chunked;
}

static enum verdict body_begins(struct http_answer *answer, char *why,
				size_t size)
{
	bool has_none = answer->status == 204 || answer->status == 304;

	answer->at = answer->chunked ? AT_CHUNK : AT_BODY;
	if (answer->to_the_end || !(answer->has_length || has_none))
		answer->left = ~(__u64)0;
	if (has_none || (answer->at == AT_BODY && !answer->left))
		return another_body(answer, why, size);
	return VERDICT_OPEN;
}

static enum verdict header_read(struct http_answer *answer, char *why,
				size_t size)
{
	const char *value;

	if (answer->line_length) {
		value = value_of(answer->line, "Transfer-Encoding");
		if (value && !is_interim(answer))
			coding_header(answer, value);
		value = value_of(answer->line, "Content-Length");
		if (value && !is_interim(answer))
			return length_header(answer, value, why, size);
		return VERDICT_OPEN;
	}
	if (!is_interim(answer))
		return body_begins(answer, why, size);
	answer->at = AT_STATUS;
	answer->status = 0;
	return VERDICT_OPEN;
}

static enum verdict chunk_begins(struct http_answer *answer, char *why,
				 size_t size)
{
	const char *end;

	if (!number_read(answer->line, 16, &answer->left, &end) ||
	    (*end && *end != ';'))
		return bad(answer, "chunks that cannot be read", why, size);
	answer->at = AT_CHUNK_DATA;
	return answer->left ? VERDICT_OPEN : another_body(answer, why, size);
}

/* A line is complete. */
static enum verdict line_read(struct http_answer *answer, char *why,
			      size_t size)
{
	switch (answer->at) {
	case AT_STATUS:
		if (!answer->status)
			return bad(answer, "no HTTP", why, size);
		answer->at = AT_HEADER;
		return VERDICT_OPEN;
	case AT_HEADER:
		return header_read(answer, why, size);
	case AT_CHUNK:
		return chunk_begins(answer, why, size);
	default:
		if (answer->line_length)
			return bad(answer, "chunks that cannot be read", why,
				   size);
		answer->at = AT_CHUNK;
		return VERDICT_OPEN;
	}
}

static enum verdict line_byte(struct http_answer *answer, char byte, char *why,
			      size_t size)
{
	enum verdict verdict;
	size_t *length = &answer->line_length;

	if (byte != '\n') {
		if (*length < sizeof(answer->line) - 1)
			answer->line[(*length)++] = byte;
		return answer->at == AT_STATUS ? judge_status(answer, why, size)
					       : VERDICT_OPEN;
	}
	if (*length && answer->line[*length - 1] == '\r')
		--*length;
	answer->line[*length] = '\0';
	verdict = line_read(answer, why, size);
	*length = 0;
	return verdict;
}

/*
 * Looks for check->body in the new bytes of the body. Returns whether it has
 * been found.
 */
static bool contains(struct http_answer *answer, const char *bytes,
		     size_t length)
{
	const char *body = answer->check->body;
	size_t i, matched = answer->matched;

	for (i = 0; i < length; i++) {
		while (matched && bytes[i] != body[matched])
			matched = answer->shorter[matched - 1];
		matched += bytes[i] == body[matched];
		if (!body[matched])
			return true;
	}
	answer->matched = matched;
	return false;
}

/* Returns how many of the bytes belong to the body, or to its chunk. */
static size_t body_bytes(struct http_answer *answer, const char *bytes,
			 size_t length, char *why, size_t size)
{
	if (length > answer->left)
		length = answer->left;
	if (contains(answer, bytes, length)) {
		answer->verdict = VERDICT_GOOD;
		return length;
	}
	answer->left -= length;
	if (answer->left)
		return length;
	if (answer->at == AT_BODY)
		answer->verdict = another_body(answer, why, size);
	answer->at = AT_CHUNK_END;
	return length;
}

enum verdict http_answer_read(struct http_answer *answer, const char *bytes,
			      size_t length, char *why, size_t size)
{
	size_t room = HTTP_MOST - answer->read, i = 0;
	bool is_all = length >= room;

	if (is_all)
		length = room;
	answer->read += length;
	while (i < length && answer->verdict == VERDICT_OPEN) {
		if (answer->at == AT_BODY || answer->at == AT_CHUNK_DATA)
			i += body_bytes(answer, bytes + i, length - i, why,
					size);
		else
			answer->verdict =
				line_byte(answer, bytes[i++], why, size);
	}
	if (is_all && answer->verdict == VERDICT_OPEN)
		return http_answer_end(answer, why, size);
	return answer->verdict;
}

enum verdict http_answer_end(struct http_answer *answer, char *why, size_t size)
{
	if (answer->verdict != VERDICT_OPEN)
		return answer->verdict;
	if (answer->status && !is_interim(answer))
		answer->verdict = another_body(answer, why, size);
	else if (answer->read && answer->at == AT_STATUS &&
		 answer->line_length && !answer->status)
		answer->verdict = bad(answer, "no HTTP", why, size);
	else
		answer->verdict =
			bad(answer, "closed without an answer", why, size);
	return answer->verdict;
}
