/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * keys_workers.h - the rows of keys.c that services of workers have
 */
#pragma once

/* clang-format off */
#define KEYS_WORKERS \
	{LEVEL_SERVICE, "threads", KIND_NUMBER, FIELD(config_service, threads), \
	 .min = 1, .max = MAX_THREADS, .keywords = none_keywords, \
	 .standard = "none", \
	 .help = "For `workers`, and required there: how many requests each " \
		 "backend works on at a time."}, \
	{LEVEL_SERVICE, "release", KIND_PORT, FIELD(config_service, release), \
	 .min = 1, .max = 65535, .keywords = none_keywords, .standard = "none", \
	 .help = "For `workers`, and required there: the udp port, at the load " \
		 "balancer's own address, where a backend says that it is done " \
		 "with a request. Each service has another."}, \
	{LEVEL_SERVICE, "release-key", KIND_TEXT, \
	 FIELD(config_service, release_key), \
	 .standard = "", \
	 .help = "For `workers`: what a message to `release` must carry; " \
		 "empty: nothing."}, \
	{LEVEL_SERVICE, "lease", KIND_DURATION, FIELD(config_service, lease), \
	 .min = 100, .max = 24 * KEY_HOUR, .standard = "60s", \
	 .help = "For `workers`: after this long a thread is free, whether " \
		 "the backend has said so or not."}, \
	{LEVEL_SERVICE, "queue", KIND_NUMBER, FIELD(config_service, queue), \
	 .min = 1, .max = MAX_QUEUE, .standard = "1024", \
	 .help = "For `workers`: how many requests wait for a thread, of up to " \
		 "1500 bytes each. The next one is dropped."}, \
	{LEVEL_SERVICE, "load-balancers", KIND_NUMBER, \
	 FIELD(config_service, load_balancers), \
	 .min = 1, .max = MAX_THREADS, .standard = "1", \
	 .help = "For `workers`: among how many load balancers the threads " \
		 "are shared out; each uses `threads` divided by it."}
/* clang-format on */
