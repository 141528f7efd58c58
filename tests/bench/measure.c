// SPDX-License-Identifier: GPL-2.0-only
/*
 * measure PINS IFACE - runs the program that is up there, and the floor
 * measure - IFACE - sends and reflects live frames by that interface
 *
 * Reads commands from stdin, a line each, and answers with a line:
 *
 * `instructions`: how many of the program the verifier walked
 *
 * `load FAMILY FLOWS WORDS GROWS TWICE SUM FRAME`: a driver; see driver.h
 *
 * `run WHAT TURNS`: `bare`, the swap alone; `floor`, driver and swap;
 * `subject`, driver and program. Answers TURN NS ACTION FRAME: the number of
 * the last turn since `load`, what all took, what became of the packet in the
 * last.
 *
 * `forget`: empties the flow table; how many flows were there
 *
 * `sink`: what comes in by IFACE ends there, from now on
 *
 * `send TURNS`: the driver's frames leave by IFACE. Answers NS SUNK: the time
 * of this thread and of the CPU's ksoftirqd, which is all that sending, the way
 * there and back, and sinking take (0: where no ksoftirqd is to be seen, as in
 * a container); and how many were sunk.
 *
 * `reflect`: until this process ends, IFACE sends back what comes in by it
 *
 * FRAME is hexadecimal. What the kernel refuses ends this process.
 *
 * Time is this thread's CPU time: others at work on the machine then cost it
 * their caches, and nothing else. It is that of the whole call, which takes
 * 0.1 ms or so before the first turn: let there be many turns.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "common/core/abi.h"
#include "common/core/abi_packets.h"
#include "tests/bench/driver.h"
#include "tests/bench/driver.skel.h"

#define FRAME_MAX 1514

static int program;	/* under test */
static __u32 interface; /* by which frames come in */
static int flows;	/* the map of the flow table */
static struct driver_bpf *driver;
static int drive; /* the program for this family */
static unsigned char frame[FRAME_MAX];
static __u32 length;

static void die(const char *what)
{
	fprintf(stderr, "measure: cannot %s: %s\n", what, strerror(errno));
	exit(1);
}

static void open_link(const char *path)
{
	struct bpf_link_info info = {0};
	__u32 size = sizeof(info);
	int link = bpf_obj_get(path);

	if (link < 0 || bpf_obj_get_info_by_fd(link, &info, &size))
		die(path);
	program = bpf_prog_get_fd_by_id(info.prog_id);
	if (program < 0)
		die("get the link's program");
}

static void read_frame(const char *hex)
{
	unsigned byte;

	for (length = 0; length < FRAME_MAX && sscanf(hex, "%2x", &byte) == 1;
	     hex += 2)
		frame[length++] = (unsigned char)byte;
	if (*hex || length < HEADERS_MAX) {
		errno = EINVAL;
		die("read the frame");
	}
}

/*
 * All programs of a prog array must agree about xdp.frags, so set it wherever
 * the kernel has it.
 */
static void as_the_kernel_has(struct bpf_program *each)
{
	if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP,
				    BPF_FUNC_xdp_get_buff_len, NULL) != 1)
		bpf_program__set_flags(each, bpf_program__flags(each) &
						     ~BPF_F_XDP_HAS_FRAGS);
}

static void load(unsigned family, const struct scenario *scenario,
		 const char *hex)
{
	driver_bpf__destroy(driver);
	driver = driver_bpf__open();
	if (!driver)
		die("open the driver");
	read_frame(hex);
	driver->rodata->scenario = *scenario;
	driver->rodata->scenario.length = length;
	as_the_kernel_has(driver->progs.driver4);
	as_the_kernel_has(driver->progs.driver6);
	as_the_kernel_has(driver->progs.swap);
	if (driver_bpf__load(driver))
		die("load the driver");
	memcpy(&driver->bss->first, frame, sizeof(driver->bss->first));
	memcpy(driver->bss->words, frame + WORDS_AT,
	       sizeof(driver->bss->words));
	drive = bpf_program__fd(family == 6 ? driver->progs.driver6
					    : driver->progs.driver4);
	puts("ok");
}

static __u64 time_by(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now))
		die("read a clock");
	return (__u64)now.tv_sec * 1000000000 + (__u64)now.tv_nsec;
}

static __u64 cpu_time(void)
{
	return time_by(CLOCK_THREAD_CPUTIME_ID);
}

static void run(const char *what, int turns)
{
	static unsigned char out[FRAME_MAX + 256];
	struct xdp_md context = {
		.data_end = length,
		.ingress_ifindex = interface,
	};
	LIBBPF_OPTS(bpf_test_run_opts, options, .repeat = turns,
		    .data_in = frame, .data_size_in = length, .data_out = out,
		    .data_size_out = sizeof(out), .ctx_in = &context,
		    .ctx_size_in = sizeof(context));
	int swap = bpf_program__fd(driver->progs.swap);
	int tested = strcmp(what, "subject") ? swap : program;
	__u32 zero = 0, i;
	__u64 began, took;

	if (bpf_map_update_elem(bpf_map__fd(driver->maps.subject), &zero,
				&tested, BPF_ANY))
		die("let the driver call the program");
	began = cpu_time();
	if (bpf_prog_test_run_opts(strcmp(what, "bare") ? drive : swap,
				   &options))
		die("run the program");
	took = cpu_time() - began;
	printf("%u %llu %u ", driver->bss->turn - 1, took, options.retval);
	for (i = 0; i < options.data_size_out; i++)
		printf("%02x", out[i]);
	putchar('\n');
}

static void attach(struct bpf_program *each)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_DRV_MODE);

	if (bpf_link_create(bpf_program__fd(each), (int)interface, BPF_XDP,
			    &options) < 0)
		die("attach to the interface");
}

/*
 * The CPU clock of ksoftirqd, which takes over when interrupts come too often.
 */
static bool ksoftirqd(int cpu, clockid_t *clock)
{
	char command[64];
	bool is_there;
	FILE *found;
	int pid;

	snprintf(command, sizeof(command), "pgrep -x ksoftirqd/%d", cpu);
	found = popen(command, "r");
	if (!found)
		die("look for ksoftirqd");
	is_there = fscanf(found, "%d", &pid) == 1 &&
		   !clock_getcpuclockid(pid, clock);
	pclose(found);
	return is_there;
}

static void send_live(int turns)
{
	struct xdp_md context = {
		.data_end = length,
		.ingress_ifindex = interface,
	};
	LIBBPF_OPTS(bpf_test_run_opts, options, .repeat = turns,
		    .data_in = frame, .data_size_in = length,
		    .ctx_in = &context, .ctx_size_in = sizeof(context),
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES);
	int send = bpf_program__fd(driver->progs.send);
	__u64 began, took, sunk, softly = 0;
	clockid_t other;
	__u32 zero = 0;
	bool is_there;

	if (bpf_map_update_elem(bpf_map__fd(driver->maps.subject), &zero, &send,
				BPF_ANY))
		die("let the driver send");
	is_there = ksoftirqd(sched_getcpu(), &other);
	sunk = driver->bss->sunk;
	if (is_there)
		softly = time_by(other);
	began = cpu_time();
	if (bpf_prog_test_run_opts(drive, &options))
		die("send");
	took = cpu_time() - began;
	printf("%llu %llu\n", is_there ? took + time_by(other) - softly : 0,
	       driver->bss->sunk - sunk);
}

static void reflect(void)
{
	driver = driver_bpf__open_and_load();
	if (!driver)
		die("load the driver");
	attach(driver->progs.swap);
	puts("ok");
}

static void instructions(void)
{
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(program, &info, &size))
		die("ask for the program");
	printf("%u\n", info.verified_insns);
}

static void forget(void)
{
	struct bpf_map_info info = {0};
	__u32 size = sizeof(info), total = 0, i, j;
	struct flow_bucket *buckets;

	if (bpf_obj_get_info_by_fd(flows, &info, &size))
		die("ask for the flow table");
	buckets = mmap(NULL, (size_t)info.max_entries * sizeof(*buckets),
		       PROT_READ | PROT_WRITE, MAP_SHARED, flows, 0);
	if (buckets == MAP_FAILED)
		die("map the flow table");
	for (i = 0; i < info.max_entries; i++) {
		for (j = 0; j < FLOWS_PER_BUCKET; j++) {
			total += buckets[i].flows[j].hash != 0;
			buckets[i].flows[j].hash = 0;
		}
	}
	munmap(buckets, (size_t)info.max_entries * sizeof(*buckets));
	printf("%u\n", total);
}

static void obey(const char *line)
{
	char hex[2 * FRAME_MAX + 1], what[16];
	struct scenario s = {0};
	unsigned family;
	int turns;

	if (!strcmp(line, "instructions\n")) {
		instructions();
	} else if (!strcmp(line, "forget\n")) {
		forget();
	} else if (!strcmp(line, "reflect\n")) {
		reflect();
	} else if (!strcmp(line, "sink\n") && driver) {
		attach(driver->progs.sink);
		puts("ok");
	} else if (sscanf(line, "send %d", &turns) == 1 && driver) {
		send_live(turns);
	} else if (sscanf(line, "run %15s %d", what, &turns) == 2 && driver) {
		run(what, turns);
	} else if (sscanf(line, "load %u %u %u %u %u %u %3028s", &family,
			  &s.flows, &s.words, &s.grows, &s.twice, &s.sum,
			  hex) == 7) {
		s.flows--;
		load(family, &s, hex);
	} else {
		fprintf(stderr, "measure: no such command: %s", line);
		exit(2);
	}
}

/* Stay on one CPU, and with its counters and caches. */
static void stay_here(void)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	sched_setaffinity(0, sizeof(here), &here);
}

int main(int argc, char **argv)
{
	char line[2 * FRAME_MAX + 128], path[256];

	if (argc != 3) {
		fprintf(stderr, "usage: measure PINS|- IFACE\n");
		return 2;
	}
	if (strcmp(argv[1], "-")) {
		snprintf(path, sizeof(path), "%s/link-%s", argv[1], argv[2]);
		open_link(path);
		snprintf(path, sizeof(path), "%s/flows", argv[1]);
		flows = bpf_obj_get(path);
	}
	interface = if_nametoindex(argv[2]);
	if (!interface)
		die(argv[2]);
	stay_here();
	while (fgets(line, sizeof(line), stdin)) {
		obey(line);
		fflush(stdout);
	}
	return 0;
}
