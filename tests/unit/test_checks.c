// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_checks.c - health checks: what a file may say of them, when a backend is
 * up, and what is a good answer
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "LoadBalancer/health/answered.h"
#include "LoadBalancer/health/http_answer.h"
#include "common/config/health.h"
#include "common/core/abi_services.h"
#include "common/core/inline.h"
#include "tests/unit/unit.h"

#define SERVICE(words)                                                         \
	"services:\n- vip: 192.0.2.1\n  backends: [{address: 198.51.100.1}]\n" \
	"  " words "\n"
#define TCP(check) SERVICE("port: 80\n  check: " check)
#define UDP(check) SERVICE("port: 53\n  protocol: udp\n  check: " check)

static int parse(const char *text, struct config *config, char *why,
		 size_t size)
{
	return config_parse("f", text, strlen(text), config, why, size, NULL);
}

static void check_is_read(void **state)
{
	const struct config_check *check;
	struct config config;
	char why[512] = "";

	(void)state;
	assert_int_equal(parse(SERVICE("port: 80"), &config, why, sizeof(why)),
			 0);
	assert_int_equal(config.services->check.type, CHECK_NONE);
	assert_int_equal(config.services->check.interval, 0);
	assert_int_equal(config.services->on_all_down, ALL_DOWN_ALL);
	assert_int_equal(config.services->on_down, DOWN_KEEP);
	config_free(&config);

	assert_int_equal(parse(TCP("{}\n  on-all-down: pass\n  on-down: move"),
			       &config, why, sizeof(why)),
			 0);
	check = &config.services->check;
	assert_int_equal(config.services->on_all_down, ALL_DOWN_PASS);
	assert_int_equal(config.services->on_down, DOWN_MOVE);
	assert_int_equal(check->type, CHECK_TCP);
	assert_int_equal(check->interval, 2000);
	assert_int_equal(check->timeout, 1000);
	assert_int_equal(check->rise, 2);
	assert_int_equal(check->fall, 3);
	assert_int_equal(check->status, 0);
	assert_int_equal(check->line, 5);
	assert_string_equal(check->path, "/");
	assert_string_equal(check->host, "");
	config_free(&config);

	assert_int_equal(
		parse(SERVICE("port: any\n  on-all-down: drop\n  check:\n"
			      "    type: https\n    port: 8443\n"
			      "    path: /health?a=b\n    host: example.org\n"
			      "    status: 204\n    body: fine\n"
			      "    interval: 100ms\n    timeout: 50ms\n"
			      "    rise: 1000\n    fall: 1"),
		      &config, why, sizeof(why)),
		0);
	check = &config.services->check;
	assert_true(!check->application_port);
	assert_int_equal(config.services->on_all_down, ALL_DOWN_DROP);
	assert_int_equal(check->type, CHECK_HTTPS);
	assert_true(check->port == bpf_htons(8443));
	assert_string_equal(check->path, "/health?a=b");
	assert_string_equal(check->host, "example.org");
	assert_string_equal(check->body, "fine");
	assert_int_equal(check->status, 204);
	assert_int_equal(check->interval, 100);
	assert_int_equal(check->timeout, 50);
	assert_int_equal(check->rise, 1000);
	assert_int_equal(check->fall, 1);
	config_free(&config);
}

/* Asked where what is sent is not taken for a client's. */
static void application_is_apart(void **state)
{
	static const char *const rows[] = {
		TCP("{application-port: 8080}"),
		/* Of another backend, another protocol, another method. */
		TCP("{application-port: 8080}\n"
		    "- {vip: 192.0.2.1, port: 8080, backends: "
		    "[{address: 198.51.100.2}]}"),
		TCP("{application-port: 8080}\n"
		    "- {vip: 192.0.2.1, port: 8080, protocol: udp, backends: "
		    "[{address: 198.51.100.1}]}"),
		TCP("{application-port: 80}\n  forward: l2"),
		TCP("{application-port: 80}\n  forward: dscp\n  dscp: 1"),
	};
	struct config config;
	char why[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (parse(rows[i], &config, why, sizeof(why)))
			fail_msg("%s: %s", rows[i], why);
		assert_true(!!config.services->check.application_port);
		config_free(&config);
	}
}

#define A32 "abcdefghijklmnopqrstuvwxyz012345"

/* A key and the types that have it, by what the manual says of the key. */
static const struct {
	const char *key, *types;
} of_types[] = {
	{"path: /healthz", "http https"},
	{"host: example.org", "http https"},
	{"status: 200", "http https"},
	{"body: ok", "http https udp"},
	{"send: ping", "udp"},
	{"no-answer: up", "udp"},
	{"application-port: 8080", "tcp http https"}, /* 80 is the service's */
	{"interval: 4s", "tcp http https udp"},
	{"rise: 4", "tcp http https udp"},
};

static void keys_are_for_types(void **state)
{
	static const char *const types[] = {"tcp", "http", "https", "udp"};
	char text[512], why[512];
	struct config config;
	size_t i, j;
	bool taken, named;

	(void)state;
	for (i = 0; i < sizeof(of_types) / sizeof(of_types[0]); i++) {
		for (j = 0; j < sizeof(types) / sizeof(types[0]); j++) {
			snprintf(text, sizeof(text),
				 SERVICE("protocol: %s\n  port: 80\n  check: "
					 "{type: %s, %s}"),
				 strcmp(types[j], "udp") ? "tcp" : "udp",
				 types[j], of_types[i].key);
			taken = !parse(text, &config, why, sizeof(why));
			/* " http " is not in " https " */
			snprintf(text, sizeof(text), " %s ", of_types[i].types);
			snprintf(why, sizeof(why), " %s ", types[j]);
			named = strstr(text, why);
			if (taken != named)
				fail_msg("%s of %s", of_types[i].key, types[j]);
			if (taken)
				config_free(&config);
		}
	}
}

/* What a check asks must not depend on a word that was left out. */
static void type_follows_its_keys(void **state)
{
	static const struct {
		const char *text;
		__u8 type;
	} rows[] = {
		{TCP("{}"), CHECK_TCP},
		{TCP("{interval: 4s}"), CHECK_TCP},
		{TCP("{application-port: 8080}"), CHECK_TCP},
		{TCP("{path: /healthz}"), CHECK_HTTP},
		{TCP("{status: 204, application-port: 8080}"), CHECK_HTTP},
		{TCP("{body: ok}"), CHECK_HTTP},
		{UDP("{send: ping, body: pong}"), CHECK_UDP},
		{UDP("{no-answer: up}"), CHECK_UDP},
		{TCP("{type: none, path: /healthz}"), CHECK_NONE},
	};
	struct config config;
	char why[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (parse(rows[i].text, &config, why, sizeof(why)))
			fail_msg("%s: %s", rows[i].text, why);
		assert_int_equal(config.services->check.type, rows[i].type);
		config_free(&config);
	}
}

static void check_is_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{TCP("1"), "f:5: check \"1\": must be a mapping of the keys"},
		{TCP("{tpye: tcp}"),
		 "f:5: unknown key \"tpye\"; did you mean \"type\"?"},
		{TCP("{type: icmp}"), "f:5: type \"icmp\": must be tcp or "
				      "http or https or udp or none"},
		{TCP("{type: udp}"),
		 "f:5: check: a service of tcp is checked by tcp, http or "
		 "https, not by udp"},
		{UDP("{type: tcp}"), "f:6: check: a service of udp is checked "
				     "by udp, not by tcp"},
		{TCP("{port: 80}"), "f:5: check: port must be left out; it is "
				    "the service's"},
		{SERVICE("port: any\n  check: {}"),
		 "f:5: check: port must be named, because the service is "
		 "of any port"},
		{TCP("{no-answer: up}"),
		 "f:5: check: a service of tcp is checked by tcp, http or "
		 "https, not by udp"},
		{TCP("{type: tcp, no-answer: up}"),
		 "f:5: check: no-answer is for udp, and the type of this check "
		 "is tcp"},
		{TCP("{path: /, send: x}"),
		 "f:5: check: path is for http or https, and the type of this "
		 "check is tcp"},
		{UDP("{body: x}"), "f:6: check: a service of udp is checked "
				   "by udp, not by http"},
		{UDP("{type: udp, no-answer: good}"),
		 "f:6: no-answer \"good\": must be down or up"},
		{UDP("{type: udp, silence: good}"),
		 "f:6: key \"silence\" is now \"no-answer\", which must be "
		 "down or up"},
		{UDP("{type: udp, application-port: 53}"),
		 "f:6: check: application-port is for tcp or http or https, "
		 "and the type of this check is udp"},
		{TCP("{application-port: 80}"),
		 "f:5: check: application-port 80 of 198.51.100.1 is restored "
		 "by rewrite for the service on line 2; take a port that is "
		 "no service's"},
		{SERVICE("port: any\n  check: {port: 80, application-port: "
			 "8080}"),
		 "f:5: check: application-port 8080 of 198.51.100.1"},
		{TCP("{application-port: 8080}\n"
		     "- {vip: 192.0.2.2, port: 8080, forward: ipip, backends: "
		     "[{address: 198.51.100.1}]}\n"
		     "- {vip: 192.0.2.3, port: 8080, backends: "
		     "[{address: 198.51.100.1}]}\n"
		     "lb-sources: [10.0.0.0/8]"),
		 "f:5: check: application-port 8080 of 198.51.100.1 is "
		 "restored by rewrite for the service on line 7"},
		{TCP("{interval: 2s, timeout: 1001ms}"),
		 "f:5: check: timeout must be at most half of interval, which "
		 "is 2000ms"},
		{TCP("{type: http, path: x}"),
		 "f:5: check: path must begin with /"},
		{TCP("{}\n  on-all-down: last"),
		 "f:6: on-all-down \"last\": must be all or drop or pass; "
		 "\"last\" is now \"all\""},
		{TCP("{}\n  on-down: drop"),
		 "f:6: on-down \"drop\": must be keep or move"},
		{TCP("{path: ''}"), "f:5: path \"\": must be 1 to 127 "
				    "printable ASCII characters"},
		{TCP("{host: \"a\\r\\nb\"}"),
		 "f:5: host \"a\\x0d\\x0ab\": must be 0 to 127 printable"},
		{TCP("{host: " A32 A32 A32 A32 "}"), "f:5: host \"abcdef"},
		{TCP("{status: 99}"),
		 "f:5: status \"99\": must be a number from 100 to 599 or ok"},
	};
	struct config config;
	char why[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		*why = '\0';
		if (!parse(rows[i].text, &config, why, sizeof(why)))
			fail_msg("taken: %s", rows[i].text);
		if (strncmp(why, rows[i].why, strlen(rows[i].why)))
			fail_msg("%s\nis not\n%s", why, rows[i].why);
	}
}

/*
 * Results as letters: '+' good, 'a' the application bad, 'p' the path, '.' not
 * made; and after each, what is known: '.' nothing, 'U' up, 'A' or 'P' down.
 */
static void assert_health(char from, const char *results, const char *expected)
{
	static const struct config_check check = {.rise = 2, .fall = 3};
	static const char found[] = ".+ap", known[] = ".UAP";
	struct health health = {
		.finding = (__u8)(strchr(known, from) - known),
	};
	char states[32] = "";
	__u8 was, result;
	bool changed;
	size_t i;

	for (i = 0; results[i]; i++) {
		was = health.finding;
		result = (__u8)(strchr(found, results[i]) - found);
		changed = health_note(&health, &check, result);
		assert_int_equal(changed, health.finding != was);
		states[i] = known[health.finding];
		assert_int_equal(health_is_down(&health),
				 states[i] == 'A' || states[i] == 'P');
	}
	assert_string_equal(states, expected);
}

static void rises_and_falls(void **state)
{
	(void)state;
	assert_health('U', "aa+aaa+a++", "UUUUUAAAAU");
	assert_health('U', "pp+ppp+p++", "UUUUUPPPPU");
	assert_health('U', "aa+aa+", "UUUUUU");
	assert_health('A', "+a++aa+aaa", "AAAUUUUUUA");
	/* Of which nothing is known, the first says enough. */
	assert_health('.', "a", "A");
	assert_health('.', "p", "P");
	assert_health('.', "p++", "PPU");
	assert_health('.', "+aa", "UUU");
	/* What runs says that it was up, or down: `fall` and `rise` hold. */
	assert_health('U', "aa", "UU");
	assert_health('P', "+", "P");
}

/* It takes `fall` lost packets, and nothing between, to move flows. */
static void path_and_application_are_apart(void **state)
{
	(void)state;
	assert_health('U', "aap", "UUA");
	assert_health('U', "ppapp", "UUAAA");
	assert_health('U', "ppappp", "UUAAAP");
	assert_health('A', "pp+ppp", "AAAAAP");
	/* The path is good again once `rise` answers came, good or not. */
	assert_health('P', "aa", "PA");
	assert_health('P', "+a", "PA");
	assert_health('P', "apa+", "PPPA");
	assert_health('P', "a++", "PAU");
	/* What was not made counts for nothing. */
	assert_health('U', "p.p.p", "UUUUP");
	assert_health('U', "......", "UUUUUU");
	assert_health('.', "..p", "..P");
}

static void outcomes_are_judged(void **state)
{
	static const struct {
		enum outcome path, application;
		bool silent, apart; /* asked at application-port, too */
		enum health_finding finding;
	} rows[] = {
		{OUTCOME_BAD, OUTCOME_UNKNOWN, .finding = FINDING_PATH_DOWN},
		{OUTCOME_BAD, OUTCOME_GOOD, .apart = true,
		 .finding = FINDING_PATH_DOWN},
		{OUTCOME_BAD, OUTCOME_BAD, .apart = true,
		 .finding = FINDING_PATH_DOWN},
		{OUTCOME_GOOD, OUTCOME_GOOD, .finding = FINDING_UP},
		{OUTCOME_GOOD, OUTCOME_UNKNOWN, .finding = FINDING_UP},
		{OUTCOME_GOOD, OUTCOME_BAD,
		 .finding = FINDING_APPLICATION_DOWN},
		{OUTCOME_GOOD, OUTCOME_GOOD, .apart = true,
		 .finding = FINDING_UP},
		{OUTCOME_GOOD, OUTCOME_BAD, .apart = true,
		 .finding = FINDING_APPLICATION_DOWN},
		/* A lack of our own. */
		{OUTCOME_UNKNOWN, OUTCOME_UNKNOWN, .finding = FINDING_NONE},
		{OUTCOME_UNKNOWN, OUTCOME_BAD, .apart = true,
		 .finding = FINDING_NONE},
		{OUTCOME_GOOD, OUTCOME_UNKNOWN, .apart = true,
		 .finding = FINDING_NONE},
		/* `no-answer: up` */
		{OUTCOME_UNKNOWN, OUTCOME_UNKNOWN, .silent = true,
		 .finding = FINDING_UP},
	};
	static const int answers[] = {ECONNREFUSED, ECONNRESET, EPIPE};
	static const int own[] = {EMFILE,     ENFILE,	     ENOMEM, ENOBUFS,
				  EADDRINUSE, EADDRNOTAVAIL, EPERM};
	static const int others[] = {EHOSTUNREACH, ENETUNREACH, ETIMEDOUT};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config_check check = {
			.application_port = rows[i].apart ? bpf_htons(8080) : 0,
		};

		assert_int_equal(health_verdict(&check, rows[i].path,
						rows[i].application,
						rows[i].silent),
				 rows[i].finding);
	}
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		assert_true(health_is_answer(answers[i]) &&
			    !health_is_own_lack(answers[i]));
	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		assert_true(health_is_own_lack(own[i]) &&
			    !health_is_answer(own[i]));
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(health_is_answer(others[i]) ||
			     health_is_own_lack(others[i]));
}

/*
 * A backend that dies the moment after a check: when is the last of `fall`
 * checks done, each of which waits for its answer in vain?
 */
static void is_down_in_time(void **state)
{
	struct config_check check = {.type = CHECK_TCP, .path = "/"};
	__u32 at, n;

	(void)state;
	for (check.interval = 100; check.interval <= 3000;
	     check.interval += 100) {
		check.timeout = check.interval / 2;
		for (check.fall = 2; check.fall < 10; check.fall++) {
			at = health_pause(&check, true) + check.timeout;
			/* The next begins when this one has ended. */
			for (n = 1; n < check.fall; n++)
				at += health_pause(&check, false);
			assert_true(at <= check.interval * check.fall);
		}
	}
}

#define OK     "HTTP/1.1 200 OK\r\n"
#define CHUNKS OK "Transfer-Encoding: chunked\r\n\r\n"

/* What becomes of an answer that comes in pieces of `piece` bytes. */
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
		/* Of exactly that size, for who looks behind its end. */
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

static void http_is_judged(void **state)
{
	static const struct {
		int status;
		const char *body, *text;
		enum verdict open, all; /* there may be more; there is not */
	} rows[] = {
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
		/* Interim answers say nothing. */
		{0, "", "HTTP/1.1 199 \r\n\r\n", VERDICT_OPEN, VERDICT_BAD},
		{0, "",
		 "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\nA: b\r\n\r\n" OK,
		 VERDICT_GOOD, VERDICT_GOOD},
		{0, "", "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 503 N\r\n", VERDICT_BAD,
		 VERDICT_BAD},
		{0, "yes",
		 "HTTP/1.1 103 E\r\nContent-Length: 1\r\n\r\n" OK
		 "Content-Length: 3\r\n\r\nyes",
		 VERDICT_GOOD, VERDICT_GOOD},
		{101, "", "HTTP/1.1 101 S\r\n", VERDICT_GOOD, VERDICT_GOOD},
		/* The body ends with the connection ... */
		{0, "yes", "HTTP/1.1 200 yes\r\n\r\n", VERDICT_OPEN,
		 VERDICT_BAD},
		{0, "yes", OK "A: yes\r\n\r\nno", VERDICT_OPEN, VERDICT_BAD},
		{0, "yes", OK "\r\noh yes.", VERDICT_GOOD, VERDICT_GOOD},
		{0, "yes", "HTTP/1.1 200 OK\n\noh yes.", VERDICT_GOOD,
		 VERDICT_GOOD},
		{0, "yes", OK "\r\nyeyyes", VERDICT_GOOD, VERDICT_GOOD},
		{0, "aab", OK "\r\naaab", VERDICT_GOOD, VERDICT_GOOD},
		{0, "yes", "HTTP/1.1 500 E\r\n\r\noh yes.", VERDICT_BAD,
		 VERDICT_BAD},
		/* ... or as long as it says ... */
		{0, "yes", OK "Content-Length: 2\r\n\r\nyes", VERDICT_BAD,
		 VERDICT_BAD},
		{0, "yes", OK "content-length:\t3 \r\n\r\nyes", VERDICT_GOOD,
		 VERDICT_GOOD},
		{0, "yes", OK "Content-Length: 4\r\n\r\nno y", VERDICT_BAD,
		 VERDICT_BAD},
		{0, "yes", OK "Content-Length: 4\r\n\r\nno", VERDICT_OPEN,
		 VERDICT_BAD},
		{0, "yes", OK "Content-Length: 0\r\n\r\n", VERDICT_BAD,
		 VERDICT_BAD},
		{0, "yes", OK "Content-Length: -3\r\n\r\nyes", VERDICT_BAD,
		 VERDICT_BAD},
		{0, "yes", OK "Content-Length: 3\r\nContent-Length: 4\r\n\r\n",
		 VERDICT_BAD, VERDICT_BAD},
		{0, "yes", OK "Content-Length: 99999999999999999999\r\n\r\nyes",
		 VERDICT_BAD, VERDICT_BAD},
		{0, "yes", "HTTP/1.1 204 No\r\n\r\n", VERDICT_BAD, VERDICT_BAD},
		/* ... or in chunks, which it may lie across. */
		{0, "yes", CHUNKS "2\r\nye\r\n1;a=b\r\ns\r\n", VERDICT_GOOD,
		 VERDICT_GOOD},
		{0, "yes", CHUNKS "00A \r\n1234567yes\r\n", VERDICT_GOOD,
		 VERDICT_GOOD},
		{0, "yes", CHUNKS "2\r\nno\r\n0\r\n", VERDICT_BAD, VERDICT_BAD},
		{0, "2", CHUNKS "2\r\nno\r\n", VERDICT_OPEN, VERDICT_BAD},
		{0, "yes", CHUNKS "2\r\nnoyes", VERDICT_OPEN, VERDICT_BAD},
		{0, "yes", CHUNKS "2\r\nnoyes\r\n", VERDICT_BAD, VERDICT_BAD},
		{0, "yes", CHUNKS "\r\n", VERDICT_BAD, VERDICT_BAD},
		{0, "yes", CHUNKS "x\r\n", VERDICT_BAD, VERDICT_BAD},
		{0, "yes", CHUNKS "11111111111111111\r\n", VERDICT_BAD,
		 VERDICT_BAD},
		{0, "yes",
		 OK "Content-Length: 1\r\nTransfer-Encoding: gzip, "
		    "Chunked \r\n\r\n3\r\nyes",
		 VERDICT_GOOD, VERDICT_GOOD},
		{0, "yes",
		 OK "Content-Length: 1\r\nTransfer-Encoding: gzip"
		    "\r\n\r\n3\r\nyes",
		 VERDICT_GOOD, VERDICT_GOOD},
	};
	struct config_check check = {.type = CHECK_HTTP};
	size_t i, piece, length;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		length = strlen(rows[i].text);
		check.status = (__u16)rows[i].status;
		strcpy(check.body, rows[i].body);
		for (piece = 1; piece <= length + 1; piece++) {
			if (judged(&check, rows[i].text, length, piece,
				   false) != rows[i].open ||
			    judged(&check, rows[i].text, length, piece, true) !=
				    rows[i].all)
				fail_msg("%s, by %zu", rows[i].text, piece);
		}
	}
}

/* A server that never ends: what it sends is looked at up to a limit. */
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
		cmocka_unit_test(check_is_read),
		cmocka_unit_test(application_is_apart),
		cmocka_unit_test(keys_are_for_types),
		cmocka_unit_test(type_follows_its_keys),
		cmocka_unit_test(check_is_refused),
		cmocka_unit_test(rises_and_falls),
		cmocka_unit_test(path_and_application_are_apart),
		cmocka_unit_test(outcomes_are_judged),
		cmocka_unit_test(is_down_in_time),
		cmocka_unit_test(http_is_judged),
		cmocka_unit_test(http_is_bounded),
		cmocka_unit_test(udp_is_judged),
	};

	return RUN("checks", tests);
}
