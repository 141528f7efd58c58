// SPDX-License-Identifier: GPL-2.0-only
/*
 * xdp_dropper - loses segments by their sequence number, on purpose
 *
 * Parity: what goes to the port with an even sequence number is dropped, odd
 * passes. A retransmission has the number of what was lost, so TCP stands at
 * the first byte that is dropped. The other modes are for tests: see dropper.h.
 *
 * As an XDP program it sees what comes in by an interface, as tc_dropper what
 * goes out. What does not match the settings passes, and is not counted.
 */
#include "dropper.h"
#include "once.h"
#include "segment.h"

#include <linux/pkt_cls.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct dropper);
	__uint(max_entries, 1);
} dropper SEC(".maps");

static __always_inline int matches(const struct dropper *on,
				   const struct segment *segment)
{
	return (!on->protocol || on->protocol == segment->protocol) &&
	       (!on->port || on->port == segment->port) &&
	       (!on->source_port || on->source_port == segment->source_port);
}

/* Is the packet chosen: to be dropped or, with MODE_CORRUPT, to be altered? */
static __always_inline int is_chosen(const struct dropper *on,
				     const struct segment *segment, __u64 nth)
{
	int even = segment->source_port && !(segment->sequence % 2);

	switch (on->mode) {
	case MODE_PARITY:
		return even;
	case MODE_ONCE:
		return even && is_new(segment);
	case MODE_RATE:
		return bpf_get_prandom_u32() % 100 < on->percent;
	case MODE_NTH:
		return on->every && !(nth % on->every);
	default:
		return on->every && !(nth % on->every) && segment->payload;
	}
}

static __always_inline void trace(const struct segment *segment,
				  const char *what)
{
	bpf_printk("xdp_dropper: from port %u, sequence number %u: %s",
		   segment->source_port, segment->sequence, what);
}

/* Does the frame pass? */
static __always_inline int judge(void *data, void *end)
{
	struct segment segment = {};
	__u32 zero = 0;
	struct dropper *on = bpf_map_lookup_elem(&dropper, &zero);
	int chosen, corrupt;
	__u64 nth;

	if (!on || find_segment(&segment, data, end) || !matches(on, &segment))
		return 1;
	bpf_spin_lock(&on->lock);
	nth = ++on->seen;
	bpf_spin_unlock(&on->lock);
	chosen = is_chosen(on, &segment, nth);
	corrupt = chosen && on->mode == MODE_CORRUPT;
	if (corrupt && segment.payload)
		*segment.payload ^= 1;
	bpf_spin_lock(&on->lock);
	on->dropped += chosen && !corrupt;
	on->corrupted += corrupt;
	bpf_spin_unlock(&on->lock);
	if (on->trace)
		trace(&segment, corrupt	 ? "corrupted"
				: chosen ? "dropped"
					 : "passed");
	return corrupt || !chosen;
}

SEC("xdp")
int xdp_dropper(struct xdp_md *ctx)
{
	return judge((void *)(long)ctx->data, (void *)(long)ctx->data_end)
		       ? XDP_PASS
		       : XDP_DROP;
}

SEC("tc")
int tc_dropper(struct __sk_buff *skb)
{
	bpf_skb_pull_data(skb,
			  skb->len < HEADERS_MOST ? skb->len : HEADERS_MOST);
	return judge((void *)(long)skb->data, (void *)(long)skb->data_end)
		       ? TC_ACT_UNSPEC
		       : TC_ACT_SHOT;
}

char _license[] SEC("license") = "GPL";
