// SPDX-License-Identifier: GPL-2.0-only
/*
 * explain.c - what would become of a packet: asks the data path itself
 *
 * explain.bpf.c is xdp_lbr over the maps of the running program, without its
 * writes. It is loaded for the question only. The packet is built here and
 * passed to it by BPF_PROG_TEST_RUN.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "LoadBalancer/generation/read.h"
#include "LoadBalancer/verbs/explain.h"
#include "LoadBalancer/verbs/explain_nat.h"
#include "LoadBalancer/verbs/verbs.h"
#include "common/cli/cli.h"
#include "common/cli/output.h"
#include "common/cli/report.h"
#include "common/core/address.h"
#include "common/core/inline.h"
#include "common/net/netlink.h"
#include "LoadBalancer/explain.skel.h"

/*
 * Maps that explain has for itself: those that a dry run writes to, and the two
 * caches, so that it looks into the flow table and the FIB.
 */
static const char *const own[] = {"scratch",   "parsed",      "lines",
				  "explained", "hot_flows",   "next_hops",
				  "programs",  "queue_frame", NULL};

struct explain {
	struct kernel kernel;
	struct running running;
	struct explain_bpf *skeleton;
	struct explain_nat nat;
	struct link link; /* where the packet comes in */
	const struct role *role;
	const char *name; /* of the interface; NULL: the first attached */
	bool tagged;	  /* the packet */
	bool json;
	bool many; /* questions */
};

static int sees_tags(const struct explain *explain, struct fault *fault_out);

static int open_program(struct explain *explain, struct fault *fault_out)
{
	struct kernel *kernel = &explain->kernel;
	struct constants constants;

	explain->skeleton = explain_bpf__open();
	if (!explain->skeleton)
		return fault(fault_out, "cannot open the program: %s",
			     strerror(errno));
	kernel_constants(kernel, &constants);
	*(struct constants *)&explain->skeleton->rodata->constants = constants;
	kernel_apart_prepare(kernel->role, explain->skeleton->obj,
			     explain->skeleton->progs.xdp_lbr, &constants);
	return kernel_load_over(kernel, kernel->attachments[0].old_program,
				explain->skeleton->obj, own, fault_out)
		       ?: kernel_apart_fill(kernel->role,
					    explain->skeleton->obj, &constants,
					    fault_out);
}

/* What runs now. */
static int open_now(struct explain *explain, struct fault *fault_out)
{
	struct kernel *kernel = &explain->kernel;

	if (kernel_open(kernel, explain->role, ACCESS_READ, fault_out) ||
	    kernel_attachments(kernel, fault_out) ||
	    running_read(kernel, generation_current(kernel), &explain->running,
			 fault_out))
		return -1;
	if (!kernel->attachment_count)
		return fault(fault_out, "cannot explain: xdp_lbr is attached "
					"to no interface");
	if (link_find(explain->name ?: kernel->attachments[0].name,
		      &explain->link, fault_out) ||
	    (explain->tagged && sees_tags(explain, fault_out)))
		return -1;
	/* Before lbr_nat, the kernel has taken tags off. */
	return open_program(explain, fault_out)
		       ?: explain_nat_open(kernel,
					   explain->tagged ? NULL
							   : &explain->link,
					   &explain->nat, fault_out);
}

static void close_all(struct explain *explain)
{
	if (!explain->kernel.role)
		return;
	explain_nat_close(&explain->nat);
	explain_bpf__destroy(explain->skeleton);
	explain->skeleton = NULL;
	if (explain->running.backends)
		running_free(&explain->running);
	kernel_close(&explain->kernel);
	explain->kernel.role = NULL;
}

/* "192.0.2.1:80/tcp", or udp; without a protocol it is tcp. */
static int service_parse(const char *text, struct asked *asked)
{
	char endpoint[64];
	int protocol;

	snprintf(endpoint, sizeof(endpoint), "%s", text);
	protocol = protocol_cut(endpoint);
	if (protocol < 0)
		return -1;
	asked->protocol = protocol ? (__u8)protocol : IPPROTO_TCP;
	return endpoint_parse(endpoint, &asked->vip, &asked->port);
}

/* "7", or "100,7": the outer one first. */
static int tags_parse(const char *text, struct asked *asked,
		      struct fault *fault_out)
{
	const char *at = text;
	unsigned long vlan;
	char *end;

	for (; asked->tag_count < TAGS_MOST; at = end + 1) {
		vlan = strtoul(at, &end, 10);
		if (end == at || *at == '-' || vlan >= TAG_VLAN)
			break;
		asked->tags[asked->tag_count++] = (__u16)vlan;
		if (!*end)
			return 0;
		if (*end != ',')
			break;
	}
	fault(fault_out,
	      "cannot explain --vlan %s: neither a VLAN, from 0 to 4094, nor "
	      "two",
	      text);
	return fault_hint(fault_out, "lbr explain --vlan 100,7 CLIENT SERVICE");
}

/* In generic mode the kernel has taken the tag off before. */
static int sees_tags(const struct explain *explain, struct fault *fault_out)
{
	const struct kernel *kernel = &explain->kernel;
	int i;

	for (i = 0; i < kernel->attachment_count; i++) {
		const struct attachment *on = &kernel->attachments[i];

		if (on->ifindex != explain->link.ifindex ||
		    on->mode == MODE_NATIVE)
			continue;
		fault(fault_out,
		      "cannot explain --vlan: xdp_lbr is on %s in generic "
		      "mode, which sees no tags",
		      on->name);
		return fault_hint(fault_out,
				  "lbr explain -i VLAN-DEVICE CLIENT SERVICE");
	}
	return 0;
}

/* `kind`: what is known besides its ends. */
static int asked_parse(const char *client, const char *service,
		       const struct asked *kind, struct asked *asked,
		       struct fault *fault_out)
{
	*asked = *kind;
	if (!endpoint_parse(client, &asked->client, &asked->client_port) &&
	    !service_parse(service, asked) &&
	    addr_is_v4(&asked->client) == addr_is_v4(&asked->vip))
		return 0;
	fault(fault_out, "cannot explain '%s %s': not two ends of a flow",
	      client, service);
	return fault_hint(fault_out,
			  "lbr explain 192.0.2.7:40000 192.168.25.10:80/tcp");
}

/* Runs the program on the frame; `out` and *size: the frame afterwards. */
static int run(struct explain *explain, const __u8 *frame, size_t length,
	       __u8 *out, size_t *size, __u32 *action, struct fault *fault_out)
{
	struct xdp_md context = {
		.data_end = (__u32)length,
		.ingress_ifindex = (__u32)explain->link.ifindex,
	};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame,
		    .data_size_in = (__u32)length, .data_out = out,
		    .data_size_out = 2 * ASKED_ROOM, .ctx_in = &context,
		    .ctx_size_in = sizeof(context));

	if (bpf_prog_test_run_opts(
		    bpf_program__fd(explain->skeleton->progs.xdp_lbr),
		    &options)) {
		fault(fault_out, "cannot run the program: %s", strerror(errno));
		return fault_hint(fault_out, "Linux 5.15 or later");
	}
	*size = options.data_size_out;
	*action = options.retval;
	return 0;
}

static json_t *hex(const __u8 *bytes, size_t size)
{
	char text[4 * ASKED_ROOM + 1] = "";
	size_t i;

	for (i = 0; i < size; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return json_string(text);
}

static int print(const struct explain *explain, json_t *root)
{
	return explain->many && explain->json
		       ? output_print_one(root, true)
		       : output_print(root, explain->json);
}

/* What would become of it now. NULL with a fault. */
static json_t *ask(struct explain *explain, const struct asked *asked,
		   struct fault *fault_out)
{
	int map = bpf_map__fd(explain->skeleton->maps.explained);
	__u8 frame[ASKED_ROOM], out[2 * ASKED_ROOM];
	size_t length = asked_frame(asked, explain->link.mac, frame), size = 0;
	struct record record;
	__u32 zero = 0, action = 0;
	json_t *root;

	if (run(explain, frame, length, out, &size, &action, fault_out))
		return NULL;
	if (bpf_map_lookup_elem(map, &zero, &record)) {
		fault(fault_out, "cannot read the answer: %s", strerror(errno));
		return NULL;
	}
	if (explain_nat_ask(&explain->nat, frame, length, out, &size,
			    &record.reason, fault_out))
		return NULL;
	record.source = asked->client;
	record.destination = asked->vip;
	record.source_port = asked->client_port;
	record.port = asked->port;
	record.protocol = asked->protocol;
	if (asked->error)
		record.flags |= RECORD_ERROR;
	root = explain->json ? record_json(&record, &explain->running)
			     : record_lines(&record, &explain->running);
	if (explain->json)
		json_object_set_new(root, "nat", nat_json(&explain->nat));
	else if (explain->nat.answer.row)
		json_object_set_new(root, "nat", nat_text(&explain->nat));
	json_object_set_new(root, "headers",
			    headers_rows(frame, length, out,
					 action == XDP_DROP ? 0 : size));
	if (explain->json) {
		json_object_set_new(root, "frame", hex(frame, length));
		json_object_set_new(root, "sent", hex(out, size));
		json_object_set_new(root, "returned",
				    json_integer((json_int_t)action));
	}
	return root;
}

/* Asks what runs now, even if that has changed since it was opened. */
static int answer(struct explain *explain, const struct asked *asked,
		  struct fault *fault_out)
{
	int left = KERNEL_READS, rc = 0;
	json_t *root = NULL;

	do {
		json_decref(root);
		root = NULL;
		if (kernel_changed(&explain->kernel)) {
			close_all(explain);
			rc = open_now(explain, fault_out);
		}
		if (!rc)
			root = ask(explain, asked, fault_out);
	} while (kernel_changed(&explain->kernel) && left--);
	if (!root)
		return -1;
	return print(explain, root) ? EXIT_FAILED : 0;
}

/*
 * Reads one question a line, "CLIENT SERVICE [syn]", and answers each as it
 * comes. As JSON, an answer is a line, too.
 */
static int answer_lines(struct explain *explain, const struct asked *every,
			struct fault *fault_out)
{
	char client[64], service[64], syn[8], line[256];
	struct asked asked, kind = *every;
	int fields, rc = 0;

	while (!rc && fgets(line, sizeof(line), stdin)) {
		fields = sscanf(line, "%63s %63s %7s", client, service, syn);
		if (fields < 2 || (fields == 3 && strcmp(syn, "syn")))
			return fault(fault_out,
				     "cannot explain '%.*s': a line is CLIENT "
				     "SERVICE, and may end in `syn`",
				     (int)strcspn(line, "\n"), line);
		kind.syn = every->syn || fields == 3;
		rc = asked_parse(client, service, &kind, &asked, fault_out)
			     ?: answer(explain, &asked, fault_out);
	}
	if (!rc && ferror(stdin))
		return fault(fault_out, "cannot read standard input: %s",
			     strerror(errno));
	return rc;
}

static int is_wrong(const struct options *options)
{
	const char *why = NULL;

	if (options->argument && !options->second)
		why = "which service?";
	if (options->syn && options->error)
		why = "--syn and --error are two packets";
	if (why)
		fprintf(stderr,
			"lbr: cannot run 'explain': %s\n"
			"  usage: lbr explain CLIENT SERVICE\n",
			why);
	return why != NULL;
}

/* All options; the ends only if they are not read from lines. */
static int options_read(const struct options *options, struct asked *asked,
			struct fault *fault_out)
{
	struct asked kind = {.syn = options->syn, .error = options->error};

	if (options->vlan && tags_parse(options->vlan, &kind, fault_out))
		return -1;
	*asked = kind;
	if (!options->argument)
		return 0;
	return asked_parse(options->argument, options->second, &kind, asked,
			   fault_out);
}

int verb_explain(const struct role *role, const struct options *options)
{
	struct explain *explain;
	struct fault fault_is = {0};
	struct asked asked;
	int rc;

	if (is_wrong(options))
		return EXIT_USAGE;
	if (options_read(options, &asked, &fault_is))
		return cli_failed(role, &fault_is);
	explain = calloc(1, sizeof(*explain));
	if (!explain)
		return EXIT_FAILED;
	explain->role = role;
	explain->name = options->interfaces.name[0];
	explain->tagged = asked.tag_count;
	explain->json = options->json;
	explain->many = !options->argument;
	rc = open_now(explain, &fault_is);
	if (!rc)
		rc = explain->many ? answer_lines(explain, &asked, &fault_is)
				   : answer(explain, &asked, &fault_is);
	close_all(explain);
	free(explain);
	return rc < 0 ? cli_failed(role, &fault_is) : rc;
}
