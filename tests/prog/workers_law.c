// SPDX-License-Identifier: GPL-2.0-only
/*
 * workers_law PINS REQUESTS THREADS - requests and servers' messages on two
 * CPUs at once, and a look at the laws in between
 *
 * stdin: two batches, as of testrun: the requests, and the messages. Each CPU
 * runs frames of both, drawn at random, until REQUESTS were run in all. After
 * every few of them both stop for a look: no request waits while one of the
 * THREADS of a backend is free, and none beyond these is ever taken.
 *
 * stdout: how many requests were run, and how many frames left (XDP_TX). Exit
 * status 1 where a law is broken.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/abi_workers.h"
#include "tests/prog/pins.h"

#define FRAMES	1024
#define A_ROUND 32 /* frames of each CPU between two looks */

struct frames {
	uint32_t count;
	uint32_t length[FRAMES];
	char *bytes[FRAMES];
};

static struct frames requests, messages;
static int program, states, workers;
static uint32_t ifindex, threads;
static long wanted;
static long sent, run; /* by both CPUs */
static int is_over;
static pthread_barrier_t barrier;

static void frames_read(struct frames *frames)
{
	uint32_t i;

	if (fread(&frames->count, 4, 1, stdin) != 1 || !frames->count ||
	    frames->count > FRAMES)
		die("read a batch");
	for (i = 0; i < frames->count; i++) {
		if (fread(&frames->length[i], 4, 1, stdin) != 1)
			die("read a frame");
		frames->bytes[i] = malloc(frames->length[i]);
		if (!frames->bytes[i] ||
		    fread(frames->bytes[i], 1, frames->length[i], stdin) !=
			    frames->length[i])
			die("read a frame");
	}
}

static void program_open(const char *pins)
{
	struct bpf_link_info info = {0};
	uint32_t length = sizeof(info);
	int link = pin(pins, "link-eth0");

	if (bpf_obj_get_info_by_fd(link, &info, &length))
		die("read the link");
	program = bpf_prog_get_fd_by_id(info.prog_id);
	ifindex = info.xdp.ifindex;
	if (program < 0)
		die("get the program");
}

/* Returns the action. */
static uint32_t frame_run(const struct frames *frames, uint32_t i)
{
	static __thread char out[4096];
	struct xdp_md context = {.data_end = frames->length[i],
				 .ingress_ifindex = ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frames->bytes[i],
		    .data_size_in = frames->length[i], .data_out = out,
		    .data_size_out = sizeof(out), .ctx_in = &context,
		    .ctx_size_in = sizeof(context));

	if (bpf_prog_test_run_opts(program, &options))
		die("run a frame");
	return options.retval;
}

/* Over all backends. A slot is as good as free when its lease ends; none does
 * here. */
static uint32_t free_slots(void)
{
	struct workers_key key, *last = NULL;
	struct workers row;
	uint32_t i, free = 0;

	while (!bpf_map_get_next_key(workers, last, &key)) {
		last = &key;
		if (bpf_map_lookup_elem(workers, &key, &row))
			die("read the threads");
		for (i = 0; i < MAX_THREADS; i++) {
			if (i < threads) {
				free += !row.slot[i];
			} else if (row.slot[i]) {
				fprintf(stderr, "thread %u is taken, of %u\n",
					i, threads);
				exit(1);
			}
		}
	}
	return free;
}

static void look(void)
{
	struct pool_state state;
	uint32_t service, free = free_slots();

	if (bpf_map_get_next_key(states, NULL, &service) ||
	    bpf_map_lookup_elem(states, &service, &state))
		die("read the state");
	if (!state.queued || !free)
		return;
	fprintf(stderr, "%llu requests wait while %u threads are free\n",
		(unsigned long long)state.queued, free);
	exit(1);
}

static void *work(void *argument)
{
	unsigned int seed = 1 + (unsigned int)(long)argument, i;
	cpu_set_t cpu;
	long of_sent = 0, of_requests;

	CPU_ZERO(&cpu);
	CPU_SET((int)(long)argument, &cpu);
	pthread_setaffinity_np(pthread_self(), sizeof(cpu), &cpu);
	while (!is_over) {
		of_requests = of_sent = 0;
		for (i = 0; i < A_ROUND; i++) {
			uint32_t draw = (uint32_t)rand_r(&seed);

			if (draw & 1) {
				of_requests++;
				of_sent += frame_run(&requests,
						     (draw >> 1) %
							     requests.count) ==
					   XDP_TX;
			} else {
				of_sent += frame_run(&messages,
						     (draw >> 1) %
							     messages.count) ==
					   XDP_TX;
			}
		}
		__sync_fetch_and_add(&sent, of_sent);
		__sync_fetch_and_add(&run, of_requests);
		if (pthread_barrier_wait(&barrier) ==
		    PTHREAD_BARRIER_SERIAL_THREAD) {
			look();
			is_over = run >= wanted;
		}
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t other;

	if (argc != 4) {
		fprintf(stderr, "usage: workers_law PINS REQUESTS THREADS\n");
		return 2;
	}
	wanted = atol(argv[2]);
	threads = (uint32_t)atol(argv[3]);
	frames_read(&requests);
	frames_read(&messages);
	program_open(argv[1]);
	states = pin(argv[1], "pool_states");
	workers = pin(argv[1], "workers");
	pthread_barrier_init(&barrier, NULL, 2);
	if (pthread_create(&other, NULL, work, (void *)1L))
		die("make a thread");
	work((void *)0L);
	pthread_join(other, NULL);
	printf("requests %ld sent %ld\n", run, sent);
	return 0;
}
