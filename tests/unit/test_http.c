// SPDX-License-Identifier: GPL-2.0-only
/* Which host names the status page answers: `Host:` as in RFC 9112 3.2. */
#include "common/serve/http_request.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static const struct {
	const char *headers; /* behind the request line */
	int status;
	const char *host;
	bool here; /* on a host that is called "lb1" */
} cases[] = {
	{"Host: localhost:8404\r\n", 200, "localhost", true},
	{"host:LocalHost\r\n", 200, "LocalHost", true},
	{"A: b\r\nHost: \t 192.0.2.1:8404 \t\r\n", 200, "192.0.2.1", true},
	{"Host: [2001:db8::1]:8404\r\nA: b\r\n", 200, "2001:db8::1", true},
	{"Host: [::1]\r\n", 200, "::1", true},
	{"Host: lb1:8404\r\n", 200, "lb1", true},
	{"Host: LB1\r\n", 200, "LB1", true},
	{"", 200, "", true},
	{"Host:\r\n", 200, "", true},
	{"Host: lb1.example\r\n", 200, "lb1.example", false},
	{"Host: lb\r\n", 200, "lb", false},
	{"Host: localhost.example\r\n", 200, "localhost.example", false},
	{"Host: 192.0.2.1.example\r\n", 200, "192.0.2.1.example", false},
	{"Host: 192.0.2\r\n", 200, "192.0.2", false},
	{"X-Host: localhost\r\nHost: a.example\r\n", 200, "a.example", false},
	{"Host: localhost\r\nHost: a.example\r\n", 400, NULL, false},
	{"Host: [::1\r\n", 400, NULL, false},
};

static void hosts(void **state)
{
	struct request request;
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n%s\r\n",
			 cases[i].headers);
		print_message("%s", cases[i].headers);
		assert_int_equal(http_request(text, strlen(text), &request), 1);
		assert_int_equal(request.status, cases[i].status);
		if (!cases[i].host)
			continue;
		assert_string_equal(request.host, cases[i].host);
		assert_int_equal(http_host_is_here(request.host, "lb1"),
				 cases[i].here);
	}
}

/* A host that has no name. */
static void nameless(void **state)
{
	(void)state;
	assert_true(http_host_is_here("", ""));
	assert_false(http_host_is_here("lb1", ""));
}

/* A name that is longer than a name may be. */
static void long_one(void **state)
{
	struct request request;
	char text[600];

	(void)state;
	snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: %0400d\r\n\r\n",
		 1);
	assert_int_equal(http_request(text, strlen(text), &request), 1);
	assert_int_equal(request.status, 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts),
		cmocka_unit_test(nameless),
		cmocka_unit_test(long_one),
	};

	return RUN("http", tests);
}
