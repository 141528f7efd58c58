// SPDX-License-Identifier: GPL-2.0-only
/*
 * nat_law PINS FLOWS - flows by nat, begun on two CPUs at once
 *
 * stdin: two frames of IPv4, as of testrun: a client's SYN, and the backend's
 * answer. Their clients and ports are written over here, their sums are not
 * looked at. In each round both CPUs begin flows, some of them the same, and
 * send each one's answer at once and again at the round's end, those of the
 * other CPU, too. The laws: an answer reaches the client that it is for, and no
 * two flows have one port. Between two rounds all rows are made as old as they
 * must be for another flow to take them.
 *
 * stdout: how many flows were begun, how many of these found no port, and how
 * many rows were taken more than once. Exit status 1 where a law is broken.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/core/abi_nat.h"
#include "tests/prog/pins.h"

#define CPUS	2
#define A_ROUND 16384  /* flows of each CPU in a round */
#define SHARED	8      /* one in so many is begun by both */
#define OLD	300000 /* jiffies: more than a flow and its port last */

enum { SOURCE = 26, DESTINATION = 30, SPORT = 34, DPORT = 36, SENT = 7 };

struct frame {
	uint32_t length;
	char bytes[256];
};

struct begun {
	uint32_t id;
	uint16_t port; /* at the source; network order. 0: it got none */
};

static struct frame syn, answer;
static int program;
static uint32_t ifindex;
static struct nat_row *rows;
static uint32_t row_count;
static long wanted, begun, refused;
static uint32_t first_id; /* of the round */
static int is_over;
static pthread_barrier_t barrier;
static struct begun flows[CPUS][A_ROUND];
static uint32_t owner[65536]; /* by port: 1 + id of the round's flow */

static void frame_read(struct frame *frame)
{
	if (fread(&frame->length, 4, 1, stdin) != 1 ||
	    frame->length > sizeof(frame->bytes) ||
	    fread(frame->bytes, 1, frame->length, stdin) != frame->length)
		die("read a frame");
}

/* lbr_nat, behind the interface of the link; see common/kernel/clsact.c. */
static void program_open(const char *pins)
{
	struct bpf_link_info info = {0};
	uint32_t length = sizeof(info);
	LIBBPF_OPTS(bpf_tc_hook, hook, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = 1, .priority = 53265);

	if (bpf_obj_get_info_by_fd(pin(pins, "link-eth0"), &info, &length))
		die("read the link");
	ifindex = info.xdp.ifindex;
	hook.ifindex = (int)ifindex;
	if (bpf_tc_query(&hook, &filter))
		die("find the program");
	program = bpf_prog_get_fd_by_id(filter.prog_id);
	if (program < 0)
		die("get the program");
}

static void rows_open(const char *pins)
{
	struct bpf_map_info info = {0};
	uint32_t length = sizeof(info);
	int fd = pin(pins, "nat_rows");

	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		die("read the table's size");
	row_count = info.max_entries;
	rows = mmap(NULL, row_count * sizeof(*rows), PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, 0);
	if (rows == MAP_FAILED)
		die("map the table");
}

/* Returns the action. */
static uint32_t frame_run(const char *frame, uint32_t length, char *out)
{
	struct __sk_buff context = {.ifindex = ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame,
		    .data_size_in = length, .data_out = out,
		    .data_size_out = 512, .ctx_in = &context,
		    .ctx_size_in = sizeof(context));

	if (bpf_prog_test_run_opts(program, &options))
		die("run a frame");
	return options.retval;
}

/* The client's address and port: one for each id of a round. */
static void client_of(uint32_t id, char end[6])
{
	uint32_t address = htonl(0xac110a00 + id / 30000);
	uint16_t port = htons((uint16_t)(2000 + id % 30000));

	memcpy(end, &address, 4);
	memcpy(end + 4, &port, 2);
}

/* The answer to this port reaches the client of this id. */
static void answer_check(uint32_t id, uint16_t port)
{
	char frame[256], out[512] = {0}, client[6], reached[6];

	memcpy(frame, answer.bytes, answer.length);
	memcpy(frame + DPORT, &port, 2);
	client_of(id, client);
	if (frame_run(frame, answer.length, out) != SENT) {
		fprintf(stderr, "the answer to port %u was not sent on\n",
			ntohs(port));
		exit(1);
	}
	memcpy(reached, out + DESTINATION, 4);
	memcpy(reached + 4, out + DPORT, 2);
	if (!memcmp(client, reached, sizeof(client)))
		return;
	fprintf(stderr, "the answer to port %u reached another client\n",
		ntohs(port));
	exit(1);
}

static void flow_begin(struct begun *flow, uint32_t id)
{
	char frame[256], out[512] = {0};
	uint32_t before;

	flow->id = id;
	flow->port = 0;
	memcpy(frame, syn.bytes, syn.length);
	client_of(id, frame + SOURCE);
	memcpy(frame + SPORT, frame + SOURCE + 4, 2);
	memcpy(frame + DESTINATION, syn.bytes + DESTINATION, 4);
	__sync_fetch_and_add(&begun, 1);
	if (frame_run(frame, syn.length, out) != SENT) {
		__sync_fetch_and_add(&refused, 1);
		return;
	}
	memcpy(&flow->port, out + SPORT, 2);
	before = __sync_lock_test_and_set(&owner[ntohs(flow->port)], id + 1);
	if (before && before != id + 1) {
		fprintf(stderr, "two flows have port %u\n", ntohs(flow->port));
		exit(1);
	}
	answer_check(id, flow->port);
}

/* All rows, and the round's ports, are free. */
static void next_round(void)
{
	uint32_t i;

	for (i = 0; i < row_count; i++) {
		union nat_state *state = (void *)&rows[i].state;

		state->seen -= OLD;
	}
	memset(owner, 0, sizeof(owner));
	first_id = (first_id + CPUS * A_ROUND) % 6000000;
	is_over = begun >= wanted;
}

static void *work(void *argument)
{
	int own = (int)(long)argument, i, each;
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(own, &cpu);
	pthread_setaffinity_np(pthread_self(), sizeof(cpu), &cpu);
	while (!is_over) {
		for (i = 0; i < A_ROUND; i++) {
			uint32_t id = (uint32_t)(CPUS * i);

			flow_begin(&flows[own][i],
				   first_id + id + (i % SHARED ? own : 0));
		}
		pthread_barrier_wait(&barrier);
		for (each = 0; each < CPUS * A_ROUND; each++) {
			const struct begun *flow =
				&flows[(own + each) % CPUS][each / CPUS];

			if (flow->port)
				answer_check(flow->id, flow->port);
		}
		if (pthread_barrier_wait(&barrier) ==
		    PTHREAD_BARRIER_SERIAL_THREAD)
			next_round();
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	uint32_t again = 0, i;
	pthread_t other;

	if (argc != 3) {
		fprintf(stderr, "usage: nat_law PINS FLOWS\n");
		return 2;
	}
	wanted = atol(argv[2]);
	frame_read(&syn);
	frame_read(&answer);
	program_open(argv[1]);
	rows_open(argv[1]);
	next_round();
	is_over = 0;
	pthread_barrier_init(&barrier, NULL, CPUS);
	if (pthread_create(&other, NULL, work, (void *)1L))
		die("make a thread");
	work((void *)0L);
	pthread_join(other, NULL);
	for (i = 0; i < row_count; i++)
		again += ((union nat_state *)&rows[i].state)->turn > 1;
	printf("flows %ld refused %ld again %u\n", begun, refused, again);
	return 0;
}
