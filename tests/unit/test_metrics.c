// SPDX-License-Identifier: GPL-2.0-only
/*
 * A table of metrics over a snapshot, to the byte.
 */
#include "common/serve/metrics.h"

#include <event2/buffer.h>
#include <jansson.h>
#include <string.h>

#include "tests/unit/unit.h"

/* clang-format off */
static const struct metric rows[] = {
	{"up", "gauge", "Whether.", "", "up", NULL, {NULL}, {NULL}},
	{"build_info", "gauge", "Built.", "", NULL, NULL, {"version"}, {NULL}},
	{"gone_info", "gauge", "Not there.", "", NULL, NULL, {"no"}, {NULL}},
	{"seconds", "gauge", "It took.", "", "took", NULL, {NULL}, {NULL}},
	{"bad", "gauge", "Is bad.",
	 "rows", "how", "bad", {"name", "kind"}, {NULL}},
	{"one_of", "gauge", "Is one of these.",
	 "rows", "how", "goo|good|b", {"name"}, {NULL}},
	{"some_total", "counter", "Of one kind.",
	 "rows", "n", NULL, {"name"}, {"kind", "b"}},
	{0},
};
/* clang-format on */

static const char snapshot[] =
	"{'up': true, 'version': '0.1', 'took': 0.25, 'rows': ["
	"{'name': 'eth\\\"0\\\\', 'kind': 'a', 'how': 'bad', 'n': 1},"
	"{'name': 'eth1', 'kind': 'b', 'how': 'good', 'n': 4294967296},"
	"{'name': 'eth2', 'kind': 'b'}, {'name': 'eth3', 'kind': 'b', 'n': "
	"null}]}";

static const char wanted[] = "# HELP up Whether.\n"
			     "# TYPE up gauge\n"
			     "up 1\n"
			     "# HELP build_info Built.\n"
			     "# TYPE build_info gauge\n"
			     "build_info{version=\"0.1\"} 1\n"
			     "# HELP gone_info Not there.\n"
			     "# TYPE gone_info gauge\n"
			     "# HELP seconds It took.\n"
			     "# TYPE seconds gauge\n"
			     "seconds 0.250000\n"
			     "# HELP bad Is bad.\n"
			     "# TYPE bad gauge\n"
			     "bad{name=\"eth\\\"0\\\\\",kind=\"a\"} 1\n"
			     "bad{name=\"eth1\",kind=\"b\"} 0\n"
			     "# HELP one_of Is one of these.\n"
			     "# TYPE one_of gauge\n"
			     "one_of{name=\"eth\\\"0\\\\\"} 0\n"
			     "one_of{name=\"eth1\"} 1\n"
			     "# HELP some_total Of one kind.\n"
			     "# TYPE some_total counter\n"
			     "some_total{name=\"eth1\"} 4294967296\n";

static void written(void **state)
{
	struct evbuffer *out = evbuffer_new();
	char text[sizeof(snapshot)], *c;
	json_t *status;

	(void)state;
	memcpy(text, snapshot, sizeof(text));
	for (c = text; *c; c++) {
		if (*c == '\'')
			*c = '"';
	}
	status = json_loads(text, 0, NULL);
	assert_non_null(status);
	metrics_write(rows, status, out);
	evbuffer_add(out, "", 1);
	assert_string_equal((char *)evbuffer_pullup(out, -1), wanted);
	json_decref(status);
	evbuffer_free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written),
	};

	return RUN("metrics", tests);
}
