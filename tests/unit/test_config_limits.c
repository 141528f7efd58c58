// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_config_limits.c - files as large as may be are read; one entry more, one
 * byte more is refused
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/config/config.h"
#include "tests/unit/big_file.h"
#include "tests/unit/config_text.h"
#include "tests/unit/unit.h"

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static void reads_the_largest(void **state)
{
	static const unsigned int shapes[][2] = {
		{MAX_SERVICES, MAX_BACKENDS / MAX_SERVICES}, {1, MAX_BACKENDS}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char *text = big_file(shapes[i][0], shapes[i][1], 0);
		double begin = now();
		struct config config;

		parse_text(text, &config, NULL);
		/*
		 * A tenth of that without sanitizers; a quadratic algorithm
		 * takes far more.
		 */
		assert_true(now() - begin < 1);
		assert_int_equal(config.service_count, shapes[i][0]);
		for (size_t j = 0; j < config.service_count; j++)
			assert_int_equal(config.services[j].backend_count,
					 shapes[i][1]);
		config_free(&config);
		free(text);
	}
}

static void refuse_big(char *text, const char *expected)
{
	struct config config;
	char why[512];

	assert_int_equal(config_parse("f.yaml", text, strlen(text), &config,
				      why, sizeof(why), NULL),
			 -1);
	assert_string_equal(why, expected);
	free(text);
}

static void refuses_one_more(void **state)
{
	(void)state;
	refuse_big(big_file(MAX_SERVICES + 1, 1, 0),
		   "f.yaml:24578: one more service than a file may have, "
		   "which is 4096");
	refuse_big(big_file(MAX_SERVICES, 2, 1),
		   "f.yaml:32770: one more backend than a file may have, "
		   "which is 8192");
	refuse_big(big_file(1, MAX_BACKENDS, 1),
		   "f.yaml:16390: one more backend than a file may have, "
		   "which is 8192");
}

static void bounds_the_file(void **state)
{
	char *text = filled(SERVICE "#", ' ', 4 << 20);
	struct config config;

	(void)state;
	parse_text(text, &config, NULL);
	config_free(&config);
	free(text);
	refuse_big(filled(SERVICE "#", ' ', (4 << 20) + 1),
		   "f.yaml: larger than 4 MiB");
	refuse_big(filled("", '[', 4 << 20),
		   "f.yaml:1: lists and mappings inside each other: at most 16 "
		   "levels");
	refuse_big(filled("[", ',', 4 << 20),
		   "f.yaml:1: too much in one file: at most 1048576 tokens");
}

/* From a file, and from a pipe, whose size is unknown. */
static void reads_what_is_opened(void **state)
{
	struct config config;
	char path[32];
	char why[512];
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
	assert_int_equal(write(ends[1], SERVICE, strlen(SERVICE)),
			 strlen(SERVICE));
	close(ends[1]);
	if (config_read(path, &config, why, sizeof(why), NULL))
		fail_msg("%s", why);
	close(ends[0]);
	assert_string_equal(config.path, path);
	assert_int_equal(config.service_count, 1);
	config_free(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_largest),
		cmocka_unit_test(refuses_one_more),
		cmocka_unit_test(bounds_the_file),
		cmocka_unit_test(reads_what_is_opened),
	};

	return RUN("config limits", tests);
}
