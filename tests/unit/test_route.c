// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lookup in the kernel's FIB, field by field, and what each of its answers
 * leads to.
 */
#include <string.h>

#include "common/core/abi_packets.h"
#include "common/core/abi_services.h"
#include "common/core/route.h"
#include "tests/unit/unit.h"

enum { INET = 2, INET6 = 10 }; /* <sys/socket.h> */

static const uint8_t client[16] = "the client's own";
static const uint8_t vip[16] = "VIP, not wanted.";
static const uint8_t backend[16] = "backend's, here.";
static const uint8_t backend4[16] = "\0\0\0\0\0\0\0\0\0\0\xff\xff"
				    "\xc0\x00\x02\x07";

static struct addr addr_of(const uint8_t *bytes)
{
	struct addr addr;

	memcpy(&addr, bytes, sizeof(addr));
	return addr;
}

static struct packet packet_of(void *l3, __u8 protocol)
{
	return (struct packet){
		.l3 = l3,
		.protocol = protocol,
		.source = addr_of(client),
		.destination = addr_of(vip),
		.source_port = bpf_htons(40000),
		.port = bpf_htons(80),
		.length = 1400,
	};
}

static void check_both(const struct bpf_fib_lookup *hop, __u8 protocol)
{
	static const uint8_t naught[12];

	assert_int_equal(hop->ifindex, 7);
	/* Otherwise the answer would be valid for this length only. */
	assert_int_equal(hop->tot_len, 0);
	assert_int_equal(hop->l4_protocol, protocol);
	assert_int_equal(bpf_ntohs(hop->sport), 40000);
	assert_int_equal(bpf_ntohs(hop->dport), 80);
	/* The kernel refuses a lookup with any other value here. */
	assert_memory_equal(hop->smac, naught, 12);
}

static void ipv4_asked(void **unused)
{
	struct iphdr ip = {.version = 4, .ihl = 5, .tos = 0xb8, .ttl = 64};
	struct packet packet = packet_of(&ip, IPPROTO_TCP);
	struct addr to = addr_of(backend4);
	struct bpf_fib_lookup hop;

	(void)unused;
	memset(&hop, 0xff, sizeof(hop));
	route_question(&hop, &packet.source, &to, 7);
	route_packet(&hop, &packet, ip.tos);
	check_both(&hop, IPPROTO_TCP);
	assert_int_equal(hop.family, INET);
	assert_int_equal(hop.tos, 0xb8);
	assert_memory_equal(&hop.ipv4_src, client + 12, 4);
	assert_memory_equal(&hop.ipv4_dst, backend4 + 12, 4);

	/*
	 * As the packet will be sent: with the mark, and with its own ECN bits.
	 */
	route_packet(&hop, &packet, dscp_replace(0xbb, 0, 10));
	assert_int_equal(hop.tos, 10 << 2 | 3);
}

static void ipv6_asked(void **unused)
{
	/* Version 6, traffic class 0xb9, flow label 0x8abcd. */
	_Alignas(4) uint8_t ip[40] = {0x6b, 0x98, 0xab, 0xcd};
	const uint8_t flowinfo[] = {0x0b, 0x98, 0xab, 0xcd};
	const uint8_t marked[] = {0x0f, 0xd8, 0xab, 0xcd};
	struct packet packet = packet_of(ip, IPPROTO_UDP);
	struct addr to = addr_of(backend);
	struct bpf_fib_lookup hop;
	__u32 tos;

	(void)unused;
	packet.is_ipv6 = 1;
	memset(&hop, 0xff, sizeof(hop));
	memcpy(&tos, ip, sizeof(tos));
	route_question(&hop, &packet.source, &to, 7);
	route_packet(&hop, &packet, tos);
	check_both(&hop, IPPROTO_UDP);
	assert_int_equal(hop.family, INET6);
	assert_memory_equal(&hop.flowinfo, flowinfo, 4);
	assert_memory_equal(hop.ipv6_src, client, 16);
	assert_memory_equal(hop.ipv6_dst, backend, 16);

	route_packet(&hop, &packet, dscp_replace(tos, 1, 63));
	assert_memory_equal(&hop.flowinfo, marked, 4);
}

/*
 * The fields of the outer header: its protocol, no ports, the inner type of
 * service.
 */
static void outer_asked(void **unused)
{
	_Alignas(4) uint8_t ip[40] = {0x6b, 0x98, 0xab, 0xcd};
	const uint8_t outside[] = {0x0b, 0x92, 0x34, 0x56};
	struct packet packet = packet_of(ip, IPPROTO_UDP);
	struct addr to = addr_of(backend4), to6 = addr_of(backend);
	struct bpf_fib_lookup hop;
	__u32 tos;

	(void)unused;
	packet.is_ipv6 = 1;
	memcpy(&tos, ip, sizeof(tos));
	route_question(&hop, &to, &to, 7);
	route_outer(&hop, &packet, tos, 0);
	assert_int_equal(hop.l4_protocol, 41);
	assert_true(!hop.sport && !hop.dport);
	assert_int_equal(hop.tos, 0xb9);
	route_question(&hop, &to6, &to6, 7);
	route_outer(&hop, &packet, tos, 0x23456);
	assert_memory_equal(&hop.flowinfo, outside, 4);
	packet.is_ipv6 = 0;
	route_outer(&hop, &packet, 0xb9, 0x23456);
	assert_int_equal(hop.l4_protocol, 4);
	assert_memory_equal(&hop.flowinfo, outside, 4);
}

static void answer_noted(void **unused)
{
	struct bpf_fib_lookup answer = {
		.family = INET6,
		.ifindex = 9,
		.mtu_result = 1280,
		.dmac = {1, 2, 3, 4, 5, 6},
		.smac = {7, 8, 9, 10, 11, 12},
	};
	static const uint8_t v4[16] = {[10] = 255, [11] = 255, 192, 0, 2, 1};
	struct cached_hop hop;

	(void)unused;
	memcpy(answer.ipv6_dst, backend, 16);
	memset(&hop, 0xff, sizeof(hop));
	route_answer(&hop, &answer);
	assert_int_equal(hop.out, 9);
	assert_memory_equal(&hop.via, backend, 16);
	assert_memory_equal(hop.destination, answer.dmac, 6);
	assert_memory_equal(hop.source, answer.smac, 6);
	answer.family = INET;
	memcpy(&answer.ipv4_dst, v4 + 12, 4);
	route_answer(&hop, &answer);
	assert_memory_equal(&hop.via, v4, 16);
}

/*
 * The FIB's MTU counts if a route is locked, but not below the locked value:
 * that would be an exception, which anyone can cause.
 */
static void mtu_of_the_way_out(void **unused)
{
	static const struct {
		uint32_t device, said, locked, mtu;
	} rows[] = {
		{1500, 1500, 0, 1500},	  {1500, 552, 0, 1500},
		{1500, 1280, 0, 1500},	  {1500, 0, 0, 1500},
		{1500, 1300, 1300, 1300}, {1500, 552, 1300, 1300},
		{1500, 1400, 1300, 1400}, {1500, 1500, 1300, 1500},
		{1500, 9000, 9000, 1500}, {9000, 1500, 1500, 1500},
		{1500, 0, 1300, 1500},
	};
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
			route_mtu(rows[i].device, rows[i].said, rows[i].locked),
			rows[i].mtu);
}

/* The smallest MTU counts; the outer header is always subtracted. */
static void way_narrowed(void **unused)
{
	static const struct {
		uint32_t device, link, file, told, overhead, mtu, mtu6;
	} rows[] = {
		{1500, 1500, 0, 0, 0, 1500, 1500},
		{1500, 1500, 1400, 0, 0, 1400, 1400},
		{1500, 1500, 1500, 1500, 0, 1500, 1500},
		{1500, 1500, 9000, 9000, 0, 1500, 1500},
		{1500, 1500, 0, 1400, 0, 1400, 1400},
		{1500, 1500, 1400, 1300, 0, 1300, 1300},
		{1500, 1500, 1300, 1400, 0, 1300, 1300},
		{1500, 1400, 0, 0, 0, 1400, 1400},
		{1500, 1400, 1300, 0, 0, 1300, 1300},
		{1500, 1500, 0, 0, 20, 1480, 1480},
		{1500, 1500, 1400, 0, 40, 1360, 1360},
		{65535, 65535, 0, 0, 40, 65495, 65495},
		/* IPv6 senders are told 1280 at least. */
		{1500, 1500, 1400, 1300, 40, 1260, 1280},
		{1500, 1500, 0, 1280, 20, 1260, 1280},
		{1500, 1280, 0, 0, 40, 1240, 1280},
		{1500, 1500, 0, 600, 20, 580, 1280},
		/*
		 * A packet that is too big for the interface itself is not
		 * sent.
		 */
		{1280, 1280, 0, 0, 40, 1240, 1240},
		{1310, 1310, 0, 0, 40, 1270, 1270},
		{1320, 1320, 0, 0, 40, 1280, 1280},
	};
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct route_limits limits = {
			.device = rows[i].device,
			.link = rows[i].link,
			.file = rows[i].file,
			.told = rows[i].told,
			.overhead = rows[i].overhead,
		};
		struct cached_hop hop = {0};

		route_narrow(&hop, &limits, 0);
		assert_int_equal(hop.mtu, rows[i].mtu);
		assert_int_equal(hop.link_mtu, rows[i].link - rows[i].overhead);
		route_narrow(&hop, &limits, 1);
		assert_int_equal(hop.mtu, rows[i].mtu6);
		assert_int_equal(hop.link_mtu, rows[i].link - rows[i].overhead);
	}
}

/* As <linux/bpf.h> numbers them: the kernel fixes these numbers. */
static void answers(void **unused)
{
	static const enum reason reasons[] = {
		REASON_NONE,
		REASON_fib_blackhole,
		REASON_fib_unreachable,
		REASON_fib_prohibit,
		REASON_fib_not_forwarded,
		REASON_fib_forwarding_disabled,
		REASON_fib_unsupported,
		REASON_neighbour_unresolved,
		REASON_fib_too_big,
		REASON_fib_error, /* NO_SRC_ADDR of Linux 6.8, which is never
				     asked for */
	};
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		assert_int_equal(route_reason(i), reasons[i]);
	assert_int_equal(route_reason(-22), REASON_fib_error);
	assert_int_equal(route_reason(-1), REASON_fib_error);
}

/* Two interfaces, at any distance: their answers are in cells of their own. */
static void cells_apart(void **unused)
{
	__u32 apart, backend, most;

	(void)unused;
	for (apart = 1; apart <= 64; apart++) {
		most = CACHED_HOPS / (4 * apart);
		for (backend = 0; backend < most; backend++) {
			assert_int_not_equal(
				route_cell(BACKEND_INDEXES + backend, 7, 0),
				route_cell(0, 7 + apart, 0));
			assert_int_not_equal(route_cell(0, 7, 0),
					     route_cell(backend, 7 + apart, 0));
		}
	}
	/* Each backend of one interface has its own. */
	assert_int_equal(route_cell(5, 3, 0) + 1, route_cell(6, 3, 0));
	assert_int_not_equal(route_cell(5, 3, 9), route_cell(5, 3, 10));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4_asked),
		cmocka_unit_test(ipv6_asked),
		cmocka_unit_test(outer_asked),
		cmocka_unit_test(answer_noted),
		cmocka_unit_test(mtu_of_the_way_out),
		cmocka_unit_test(way_narrowed),
		cmocka_unit_test(answers),
		cmocka_unit_test(cells_apart),
	};

	return RUN("route", tests);
}
