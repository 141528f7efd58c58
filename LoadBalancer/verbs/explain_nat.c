// SPDX-License-Identifier: GPL-2.0-only
/*
 * explain_nat.c - what lbr_nat would do with a packet that xdp_lbr passes up
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <linux/pkt_cls.h>
#include <string.h>
#include <unistd.h>

#include "LoadBalancer/verbs/explain.h"
#include "LoadBalancer/verbs/explain_nat.h"
#include "common/base/address.h"
#include "common/base/json.h"
#include "common/config/endpoint.h"
#include "common/core/reason.h"
#include "common/kernel/clsact.h"
#include "common/kernel/generation.h"
#include "LoadBalancer/explain_nat.skel.h"

/* Maps that it has for itself: those that a dry run writes to. */
static const char *const own[] = {"parsed", "nat_handed", "lines", NULL};

int explain_nat_open(const struct kernel *kernel, const struct link *link,
		     struct explain_nat *nat, struct fault *fault_out)
{
	__u32 id = link ? clsact_attached(link->name, CLSACT_IN) : 0;
	int program = id ? bpf_prog_get_fd_by_id(id) : -1, rows;
	struct explain_nat_bpf *skeleton;
	struct constants constants;

	memset(nat, 0, sizeof(*nat));
	if (program < 0)
		return 0;
	nat->ifindex = (__u32)link->ifindex;
	rows = kernel_pinned(kernel, "nat_rows");
	nat->rows = map_entries(rows);
	if (rows >= 0)
		close(rows);
	skeleton = explain_nat_bpf__open();
	if (!skeleton) {
		close(program);
		return fault(fault_out, "cannot open lbr_nat: %s",
			     strerror(errno));
	}
	kernel_constants(kernel, &constants);
	*(struct constants *)&skeleton->rodata->constants = constants;
	skeleton->rodata->nat_row_count = nat->rows;
	skeleton->rodata->nat_bucket_count = nat->rows / 4;
	nat->skeleton = skeleton;
	if (!kernel_load_over(kernel, program, skeleton->obj, own, fault_out)) {
		close(program);
		return 0;
	}
	close(program);
	explain_nat_close(nat);
	return -1;
}

void explain_nat_close(struct explain_nat *nat)
{
	explain_nat_bpf__destroy(nat->skeleton);
	nat->skeleton = NULL;
}

int explain_nat_ask(struct explain_nat *nat, const __u8 *frame, size_t length,
		    __u8 *out, size_t *size, __u8 *reason,
		    struct fault *fault_out)
{
	struct __sk_buff buffer = {.ifindex = nat->ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame,
		    .data_size_in = (__u32)length, .data_out = out,
		    .data_size_out = 2 * ASKED_ROOM, .ctx_in = &buffer,
		    .ctx_size_in = sizeof(buffer));
	__u32 zero = 0;

	memset(&nat->answer, 0, sizeof(nat->answer));
	if (!nat->skeleton ||
	    (*reason != REASON_translating && *reason != REASON_not_vip))
		return 0;
	if (bpf_prog_test_run_opts(
		    bpf_program__fd(nat->skeleton->progs.lbr_nat), &options))
		return fault(fault_out, "cannot run lbr_nat: %s",
			     strerror(errno));
	if (bpf_map_lookup_elem(bpf_map__fd(nat->skeleton->maps.nat_handed),
				&zero, &nat->answer))
		return fault(fault_out, "cannot read lbr_nat's answer: %s",
			     strerror(errno));
	*size = options.retval == TC_ACT_SHOT ? 0 : options.data_size_out;
	if (nat->answer.reason < REASON_MAX)
		*reason = nat->answer.reason;
	return 0;
}

json_t *nat_json(const struct explain_nat *nat)
{
	const struct nat_handed *answer = &nat->answer;

	if (!answer->row)
		return json_null();
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:I}", "flow",
			 answer->begins ? "new" : "known", "source",
			 json_addr(&answer->source), "source-port",
			 json_port(answer->source_port), "destination",
			 json_addr(&answer->destination), "port",
			 json_port(answer->port), "row",
			 (json_int_t)answer->row - 1);
}

json_t *nat_text(const struct explain_nat *nat)
{
	const struct nat_handed *answer = &nat->answer;
	char from[64], to[64];

	return json_sprintf(
		"%s > %s, row %u of %u: %s",
		endpoint_text(&answer->source, answer->source_port, from),
		endpoint_text(&answer->destination, answer->port, to),
		answer->row - 1, nat->rows,
		answer->begins ? "a new flow" : "a known flow");
}
