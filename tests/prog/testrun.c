// SPDX-License-Identifier: GPL-2.0-only
/*
 * testrun LINK [behind|waiting|leaving] - the program behind a pinned bpf_link,
 * run on given frames; `behind`: the tool's other program, which is behind it
 * at the same interface; `leaving`: the one for what leaves there
 *
 * stdin:  batches; each a count, then that many frames (length, bytes)
 * stdout: for each batch its size in bytes, then for each frame what became
 *         of it (action, length, bytes)
 *
 * All numbers are 32 bits in host order. A batch is read to its end before
 * anything is written, so that two pipes suffice. A frame comes in by the
 * interface that the link is attached to; a run that the kernel refuses ends
 * this process with a message.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/bpf.h>

#define MAX_FRAME 69632 /* more than IPv4 can say */

struct answers {
	char *bytes;
	size_t size, room;
};

static int is_behind;
static uint32_t priority = 53265;
static enum bpf_tc_attach_point point = BPF_TC_INGRESS;

static void die(const char *what)
{
	fprintf(stderr, "testrun: cannot %s: %s\n", what, strerror(errno));
	exit(1);
}

static void append(struct answers *answers, const void *bytes, size_t size)
{
	while (answers->size + size > answers->room) {
		answers->room = answers->room ? answers->room * 2 : 1 << 20;
		answers->bytes = realloc(answers->bytes, answers->room);
		if (!answers->bytes)
			die("remember the answers");
	}
	memcpy(answers->bytes + answers->size, bytes, size);
	answers->size += size;
}

static int program_of(const char *path, uint32_t *ifindex)
{
	struct bpf_link_info info = {0};
	uint32_t length = sizeof(info);
	int link = bpf_obj_get(path), program;

	if (link < 0 || bpf_obj_get_info_by_fd(link, &info, &length))
		die(path);
	program = bpf_prog_get_fd_by_id(info.prog_id);
	if (program < 0)
		die("get the link's program");
	*ifindex = info.xdp.ifindex;
	return program;
}

/* The filter's program; see common/kernel/clsact.c. */
static int program_behind(uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = 1, .priority = priority);
	int program;

	if (bpf_tc_query(&hook, &filter))
		die("find the program behind");
	program = bpf_prog_get_fd_by_id(filter.prog_id);
	if (program < 0)
		die("get the program behind");
	return program;
}

static void run(int program, uint32_t ifindex, const char *frame,
		uint32_t length, struct answers *answers)
{
	static char out[MAX_FRAME + 256];
	struct xdp_md context = {
		.data_end = length,
		.ingress_ifindex = ifindex,
	};
	struct __sk_buff buffer = {.ifindex = ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame,
		    .data_size_in = length, .data_out = out,
		    .data_size_out = sizeof(out), .ctx_in = &context,
		    .ctx_size_in = sizeof(context));

	if (is_behind) {
		options.ctx_in = &buffer;
		options.ctx_size_in = sizeof(buffer);
	}

	if (bpf_prog_test_run_opts(program, &options)) {
		fprintf(stderr, "testrun: a frame of %u bytes: ", length);
		die("run the program");
	}
	append(answers, &options.retval, sizeof(options.retval));
	append(answers, &options.data_size_out, sizeof(options.data_size_out));
	append(answers, out, options.data_size_out);
}

/* One batch; 0 at the end of the input. */
static int batch(int program, uint32_t ifindex)
{
	static struct answers frames, answers;
	uint32_t count, length, i;
	static char frame[MAX_FRAME];
	size_t at = 0;

	if (fread(&count, sizeof(count), 1, stdin) != 1)
		return 0;
	frames.size = answers.size = 0;
	for (i = 0; i < count; i++) {
		if (fread(&length, sizeof(length), 1, stdin) != 1 ||
		    length > MAX_FRAME ||
		    fread(frame, 1, length, stdin) != length)
			die("read a frame");
		append(&frames, &length, sizeof(length));
		append(&frames, frame, length);
	}
	for (i = 0; i < count; i++) {
		memcpy(&length, frames.bytes + at, sizeof(length));
		at += sizeof(length);
		run(program, ifindex, frames.bytes + at, length, &answers);
		at += length;
	}
	length = (uint32_t)answers.size;
	fwrite(&length, sizeof(length), 1, stdout);
	fwrite(answers.bytes, 1, answers.size, stdout);
	return !fflush(stdout);
}

int main(int argc, char **argv)
{
	uint32_t ifindex = 0;
	int program;

	if (argc == 3 && !strcmp(argv[2], "leaving"))
		point = BPF_TC_EGRESS;
	is_behind = argc == 3 &&
		    (point == BPF_TC_EGRESS || !strcmp(argv[2], "behind"));
	if (argc == 3 && !strcmp(argv[2], "waiting")) {
		priority = 53263;
		is_behind = 1;
	}
	if (argc != 2 && !is_behind) {
		fprintf(stderr,
			"usage: testrun LINK [behind|waiting|leaving]\n");
		return 2;
	}
	program = program_of(argv[1], &ifindex);
	if (is_behind)
		program = program_behind(ifindex);
	while (batch(program, ifindex))
		;
	return 0;
}
