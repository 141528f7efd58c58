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
	{"waited_seconds", "histogram", "It waited.",
	 "sums", "ms", "waits", {"name"}, {NULL}},
	{"all_seconds", "histogram", "All waited.",
	 "", "ms", "waits", {NULL}, {NULL}},
	{0},
};
/* clang-format on */

static const char snapshot[] =
	"{'up': true, 'version': '0.1', 'took': 0.25, 'rows': ["
	"{'name': 'eth\\\"0\\\\', 'kind': 'a', 'how': 'bad', 'n': 1},"
	"{'name': 'eth1', 'kind': 'b', 'how': 'good', 'n': 4294967296},"
	"{'name': 'eth2', 'kind': 'b'}, {'name': 'eth3', 'kind': 'b', 'n': "
	"null}], 'ms': 62, 'sums': [{'name': 'a', 'ms': 1250}, {'name': 'b', "
	"'ms': 0}], 'waits': ["
	"{'name': 'a', 'at-most-ms': 1, 'count': 3},"
	"{'name': 'b', 'at-most-ms': 1, 'count': 0},"
	"{'name': 'a', 'at-most-ms': 65536, 'count': 4},"
	"{'name': 'a', 'at-most-ms': null, 'count': 5}]}";

static const char wanted[] =
	"# HELP up Whether.\n"
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
	"some_total{name=\"eth1\"} 4294967296\n"
	"# HELP waited_seconds It waited.\n"
	"# TYPE waited_seconds histogram\n"
	"waited_seconds_bucket{name=\"a\",le=\"0.001\"} 3\n"
	"waited_seconds_bucket{name=\"a\",le=\"65.536\"} 7\n"
	"waited_seconds_bucket{name=\"a\",le=\"+Inf\"} 12\n"
	"waited_seconds_sum{name=\"a\"} 1.250\n"
	"waited_seconds_count{name=\"a\"} 12\n"
	"waited_seconds_bucket{name=\"b\",le=\"0.001\"} 0\n"
	"waited_seconds_bucket{name=\"b\",le=\"+Inf\"} 0\n"
	"waited_seconds_sum{name=\"b\"} 0.000\n"
	"waited_seconds_count{name=\"b\"} 0\n"
	"# HELP all_seconds All waited.\n"
	"# TYPE all_seconds histogram\n"
	"all_seconds_bucket{le=\"0.001\"} 3\n"
	"all_seconds_bucket{le=\"0.001\"} 3\n"
	"all_seconds_bucket{le=\"65.536\"} 7\n"
	"all_seconds_bucket{le=\"+Inf\"} 12\n"
	"all_seconds_sum 0.062\n"
	"all_seconds_count 12\n";

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
