// SPDX-License-Identifier: GPL-2.0-only
/* test_answered.c - which answers to a health check are good */
#include <stdlib.h>
#include <string.h>

#include "common/probe/answered.h"
#include "common/probe/http_answer.h"
#include "tests/unit/unit.h"

#define OK     "HTTP/1.1 200 OK\r\n"
#define CHUNKS OK "Transfer-Encoding: chunked\r\n\r\n"

/* The verdict on an answer that comes in pieces of `piece` bytes. */
static enum verdict judged(const struct config_check *check, const char *text,
			   size_t length, size_t piece, bool all)
{
	struct http_answer answer;
	enum verdict verdict = VERDICT_OPEN;
	char why[96] = "", *bytes;
	size_t at, n;

	http_answer_begin(&answer, check);
	for (at = 0; at < length; at += n) {
		n = length - at < piece ? length - at : piece;
		/*
		 * In memory of exactly that size, so that the sanitizer sees a
		 * read behind its end.
		 */
		bytes = malloc(n);
		memcpy(bytes, text + at, n);
		verdict = http_answer_read(&answer, bytes, n, why, sizeof(why));
		free(bytes);
	}
	if (all)
		verdict = http_answer_end(&answer, why, sizeof(why));
	assert_true(verdict != VERDICT_BAD || *why);
	return verdict;
}

static const struct {
	int status;
	const char *body, *text;
	enum verdict open, all; /* there may be more, but there is not */
} answers[] = {
	{0, "", OK, VERDICT_GOOD, VERDICT_GOOD},
	{0, "", "HTTP/1.1 200 ", VERDICT_GOOD, VERDICT_GOOD},
	{0, "", "HTTP/1.0 399 \r\n", VERDICT_GOOD, VERDICT_GOOD},
	{0, "", "HTTP/1.1 400 Bad\r\n", VERDICT_BAD, VERDICT_BAD},
	{404, "", "HTTP/1.1 404 Not\r\n", VERDICT_GOOD, VERDICT_GOOD},
	{404, "", OK, VERDICT_BAD, VERDICT_BAD},
	{0, "", "HTTP/1.1 20", VERDICT_OPEN, VERDICT_BAD},
	{0, "", "HTTP/1.1\n", VERDICT_BAD, VERDICT_BAD},
	{0, "", "", VERDICT_OPEN, VERDICT_BAD},
	{0, "", "SSH-2.0-OpenSSH_9.2", VERDICT_BAD, VERDICT_BAD},
	{0, "", "HTTP/1.1 2x0 OK\r\n", VERDICT_BAD, VERDICT_BAD},
	{0, "", "HTTP/1.12000 OK\r\n", VERDICT_BAD, VERDICT_BAD},
	/* Interim (1xx) answers do not count. */
	{0, "", "HTTP/1.1 199 \r\n\r\n", VERDICT_OPEN, VERDICT_BAD},
	{0, "", "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\nA: b\r\n\r\n" OK,
	 VERDICT_GOOD, VERDICT_GOOD},
	{0, "", "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 503 N\r\n", VERDICT_BAD,
	 VERDICT_BAD},
	{0, "yes",
	 "HTTP/1.1 103 E\r\nContent-Length: 1\r\n\r\n" OK
	 "Content-Length: 3\r\n\r\nyes",
	 VERDICT_GOOD, VERDICT_GOOD},
	{101, "", "HTTP/1.1 101 S\r\n", VERDICT_GOOD, VERDICT_GOOD},
	/* The body ends with the connection ... */
	{0, "yes", "HTTP/1.1 200 yes\r\n\r\n", VERDICT_OPEN, VERDICT_BAD},
	{0, "yes", OK "A: yes\r\n\r\nno", VERDICT_OPEN, VERDICT_BAD},
	{0, "yes", OK "\r\noh yes.", VERDICT_GOOD, VERDICT_GOOD},
	{0, "yes", "HTTP/1.1 200 OK\n\noh yes.", VERDICT_GOOD, VERDICT_GOOD},
	{0, "yes", OK "\r\nyeyyes", VERDICT_GOOD, VERDICT_GOOD},
	{0, "aab", OK "\r\naaab", VERDICT_GOOD, VERDICT_GOOD},
	{0, "yes", "HTTP/1.1 500 E\r\n\r\noh yes.", VERDICT_BAD, VERDICT_BAD},
	/* ... or as long as it says ... */
	{0, "yes", OK "Content-Length: 2\r\n\r\nyes", VERDICT_BAD, VERDICT_BAD},
	{0, "yes", OK "content-length:\t3 \r\n\r\nyes", VERDICT_GOOD,
	 VERDICT_GOOD},
	{0, "yes", OK "Content-Length: 4\r\n\r\nno y", VERDICT_BAD,
	 VERDICT_BAD},
	{0, "yes", OK "Content-Length: 4\r\n\r\nno", VERDICT_OPEN, VERDICT_BAD},
	{0, "yes", OK "Content-Length: 0\r\n\r\n", VERDICT_BAD, VERDICT_BAD},
	{0, "yes", OK "Content-Length: -3\r\n\r\nyes", VERDICT_BAD,
	 VERDICT_BAD},
	{0, "yes", OK "Content-Length: 3\r\nContent-Length: 4\r\n\r\n",
	 VERDICT_BAD, VERDICT_BAD},
	{0, "yes", OK "Content-Length: 99999999999999999999\r\n\r\nyes",
	 VERDICT_BAD, VERDICT_BAD},
	{0, "yes", "HTTP/1.1 204 No\r\n\r\n", VERDICT_BAD, VERDICT_BAD},
	/* ... or in chunks, whose edges it may span. */
	{0, "yes", CHUNKS "2\r\nye\r\n1;a=b\r\ns\r\n", VERDICT_GOOD,
	 VERDICT_GOOD},
	{0, "yes", CHUNKS "00A \r\n1234567yes\r\n", VERDICT_GOOD, VERDICT_GOOD},
	{0, "yes", CHUNKS "2\r\nno\r\n0\r\n", VERDICT_BAD, VERDICT_BAD},
	{0, "2", CHUNKS "2\r\nno\r\n", VERDICT_OPEN, VERDICT_BAD},
	{0, "yes", CHUNKS "2\r\nnoyes", VERDICT_OPEN, VERDICT_BAD},
	{0, "yes", CHUNKS "2\r\nnoyes\r\n", VERDICT_BAD, VERDICT_BAD},
	{0, "yes", CHUNKS "\r\n", VERDICT_BAD, VERDICT_BAD},
	{0, "yes", CHUNKS "x\r\n", VERDICT_BAD, VERDICT_BAD},
	{0, "yes", CHUNKS "11111111111111111\r\n", VERDICT_BAD, VERDICT_BAD},
	{0, "yes",
	 OK "Content-Length: 1\r\nTransfer-Encoding: gzip, "
	    "Chunked \r\n\r\n3\r\nyes",
	 VERDICT_GOOD, VERDICT_GOOD},
	{0, "yes",
	 OK "Content-Length: 1\r\nTransfer-Encoding: gzip"
	    "\r\n\r\n3\r\nyes",
	 VERDICT_GOOD, VERDICT_GOOD},
};

static void http_is_judged(void **state)
{
	struct config_check check = {.type = CHECK_HTTP};
	size_t i, piece, length;

	(void)state;
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		length = strlen(answers[i].text);
		check.status = (__u16)answers[i].status;
		strcpy(check.body, answers[i].body);
		for (piece = 1; piece <= length + 1; piece++) {
			if (judged(&check, answers[i].text, length, piece,
				   false) != answers[i].open ||
			    judged(&check, answers[i].text, length, piece,
				   true) != answers[i].all)
				fail_msg("%s, by %zu", answers[i].text, piece);
		}
	}
}

/* A server that never ends its answer: bytes are looked at up to a limit. */
static void http_is_bounded(void **state)
{
	static const struct {
		const char *begin, *again;
	} rows[] = {
		{OK, "A: b\r\n"},
		{OK "A:", "bbbbbbbbbbbbbbbb"},
		{OK "\r\n", "no "},
		{CHUNKS, "1\r\nx\r\n"},
		{CHUNKS "1;", "xxxxxxxxxxxxxxxx"},
		{CHUNKS "ffffff\r\n", "xxxxxxxxxxxxxxxx"},
		{"", "HTTP/1.1 103 E\r\n\r\n"},
	};
	struct config_check check = {.type = CHECK_HTTP, .body = "yes"};
	struct http_answer answer;
	enum verdict verdict;
	size_t i, sent, n;
	char why[96];

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		http_answer_begin(&answer, &check);
		sent = strlen(rows[i].begin);
		verdict = http_answer_read(&answer, rows[i].begin, sent, why,
					   sizeof(why));
		for (; verdict == VERDICT_OPEN; sent += n) {
			n = strlen(rows[i].again);
			assert_true(sent < HTTP_MOST);
			verdict = http_answer_read(&answer, rows[i].again, n,
						   why, sizeof(why));
		}
		assert_int_equal(verdict, VERDICT_BAD);
		assert_true(sent >= HTTP_MOST);
	}
}

static void udp_is_judged(void **state)
{
	struct config_check check = {.type = CHECK_UDP};
	char why[96];

	(void)state;
	assert_int_equal(udp_answered(&check, "", 0, why, sizeof(why)),
			 VERDICT_GOOD);
	strcpy(check.body, "yes");
	assert_int_equal(udp_answered(&check, "oh yes", 6, why, sizeof(why)),
			 VERDICT_GOOD);
	assert_int_equal(udp_answered(&check, "oh yes", 5, why, sizeof(why)),
			 VERDICT_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_is_judged),
		cmocka_unit_test(http_is_bounded),
		cmocka_unit_test(udp_is_judged),
	};

	return RUN("answered", tests);
}
