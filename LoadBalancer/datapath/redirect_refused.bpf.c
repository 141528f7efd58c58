// SPDX-License-Identifier: GPL-2.0-only
/*
 * redirect_refused.bpf.c - count the packets of xdp_lbr that the kernel's
 * redirect refuses
 *
 * bpf_redirect() only notes where a packet is to go. If the device is down, or
 * does not take such frames or this size, the kernel finds out after xdp_lbr
 * has ended and has counted the packet as sent; it then drops the packet, and
 * calls a tracepoint. That happens on the same CPU, before the next packet, so
 * the counts of the last packet are corrected here.
 *
 * A separate program, because it needs the kernel's BTF
 * (CONFIG_DEBUG_INFO_BTF); without BTF, packets are forwarded all the same.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "common/bpf/map.h"
#include "common/core/abi.h"
#include "common/core/abi_packets.h"
#include "common/core/reason.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u32 program = 0; /* the id of xdp_lbr */

/* xdp_lbr's own. */
MAP(reasons, PERCPU_ARRAY, __u32, __u64, REASON_MAX);
MAP(service_reasons, LRU_PERCPU_HASH, struct service_reason, __u64,
    SERVICE_REASONS);
MAP(backend_counts, PERCPU_ARRAY, __u32, struct backend_count, BACKEND_INDEXES);
MAP(last_redirected, PERCPU_ARRAY, __u32, struct redirected, 1);

/* The parts of the kernel's structs that are read. */
struct bpf_prog_aux {
	__u32 id;
} __attribute__((preserve_access_index));
struct bpf_prog {
	struct bpf_prog_aux *aux;
} __attribute__((preserve_access_index));

static __always_inline void count(__u32 reason, __s64 by)
{
	__u64 *counter = bpf_map_lookup_elem(&reasons, &reason);

	if (counter)
		*counter += by;
}

static __always_inline void count_backend(const struct redirected *packet)
{
	__u32 key = packet->backend % BACKEND_INDEXES;
	struct backend_count *counter =
		bpf_map_lookup_elem(&backend_counts, &key);

	if (!counter)
		return;
	counter->packets--;
	counter->bytes -= packet->bytes;
	counter->flows -= packet->begins;
}

static __always_inline void count_service(__u32 service)
{
	struct service_reason key = {service, REASON_redirect_refused};
	__u64 one = 1, *counter = bpf_map_lookup_elem(&service_reasons, &key);

	if (counter)
		(*counter)++;
	else
		bpf_map_update_elem(&service_reasons, &key, &one, BPF_NOEXIST);
}

/* (device, program, target, error, map or its type, ...) */
SEC("tp_btf/xdp_redirect_err")
int xdp_lbr_refused(__u64 *arguments)
{
	struct bpf_prog *by = (void *)arguments[1];
	__u32 zero = 0;
	struct redirected *last = bpf_map_lookup_elem(&last_redirected, &zero);

	/*
	 * Replies to health checks are redirected through a map, and were not
	 * counted as sent.
	 */
	if (by->aux->id != program || arguments[4] || !last || !last->bytes)
		return 0;
	count(REASON_redirected, -1);
	count(REASON_redirect_refused, 1);
	count_backend(last);
	count_service(last->service);
	last->bytes = 0;
	return 0;
}
