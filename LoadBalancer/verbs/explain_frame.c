// SPDX-License-Identifier: GPL-2.0-only
/*
 * explain_frame.c - the frame of a question, and the headers of the result
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "LoadBalancer/verbs/explain.h"
#include "common/base/address.h"
#include "common/config/config.h"
#include "common/core/address.h"
#include "common/core/icmp_error.h"
#include "common/core/checksum.h"
#include "common/core/packet.h"

/* Nobody's: the sender's MAC address does not matter. */
static const __u8 from_mac[ETH_ALEN] = {0x02, 0, 0, 0, 0, 0x01};

static __u64 sum_of(const void *from, size_t size)
{
	const __u8 *at = from;
	__u64 sum = 0;

	for (; size >= CHECKSUM_BLOCK; size -= CHECKSUM_BLOCK) {
		sum += checksum_block(at);
		at += CHECKSUM_BLOCK;
	}
	return sum + checksum_rest(at, at + size);
}

static __sum16 checksum_of(__u64 sum)
{
	return (FORCE __sum16)(__u16)~checksum_fold64(sum);
}

/* Its own sum, and the part of the IP header that it covers. */
static __sum16 sum_above(const struct asked *asked, __u8 protocol,
			 const void *at, size_t size)
{
	__u32 rest[] = {(FORCE __u32)bpf_htonl((__u32)size),
			(FORCE __u32)bpf_htonl(protocol)};
	__u64 sum = sum_of(at, size) + sum_of(rest, sizeof(rest));

	/* An IPv4 address's other words add up to 0xffff. */
	if (addr_is_v4(&asked->vip))
		sum += checksum_word(asked->client.w[3]) +
		       checksum_word(asked->vip.w[3]);
	else
		sum += sum_of(&asked->client, sizeof(asked->client)) +
		       sum_of(&asked->vip, sizeof(asked->vip));
	return checksum_of(sum);
}

/* TCP or UDP without data. Returns its size. */
static size_t put_l4(const struct asked *asked, void *at)
{
	struct tcphdr *tcp = at;
	struct udphdr *udp = at;

	/* Both begin with the ports. */
	udp->source = asked->client_port;
	udp->dest = asked->port;
	if (asked->protocol == IPPROTO_TCP) {
		tcp->doff = sizeof(*tcp) / 4;
		tcp->syn = asked->syn;
		tcp->ack = !asked->syn;
		tcp->window = bpf_htons(65535);
		tcp->check = sum_above(asked, IPPROTO_TCP, tcp, sizeof(*tcp));
		return sizeof(*tcp);
	}
	udp->len = bpf_htons(sizeof(*udp));
	udp->check = sum_above(asked, IPPROTO_UDP, udp, sizeof(*udp));
	return sizeof(*udp);
}

/* For a packet of `size` bytes behind it. Returns its own size. */
static size_t put_ip(const struct addr *from, const struct addr *to,
		     __u8 protocol, size_t size, void *at)
{
	struct iphdr *ip = at;
	struct ipv6hdr *ipv6 = at;

	if (addr_is_v4(to)) {
		ip->version = 4;
		ip->ihl = sizeof(*ip) / 4;
		ip->tot_len = bpf_htons((__u16)(sizeof(*ip) + size));
		ip->frag_off = IPV4_WHOLE;
		ip->ttl = 64;
		ip->protocol = protocol;
		ip->saddr = from->w[3];
		ip->daddr = to->w[3];
		ip->check = checksum_of(sum_of(ip, sizeof(*ip)));
		return sizeof(*ip);
	}
	ipv6->version = 6;
	ipv6->payload_len = bpf_htons((__u16)size);
	ipv6->nexthdr = protocol;
	ipv6->hop_limit = 64;
	memcpy(&ipv6->saddr, from, sizeof(*from));
	memcpy(&ipv6->daddr, to, sizeof(*to));
	return sizeof(*ipv6);
}

#define QUOTED	   8	/* bytes above IP: the least that a router quotes */
#define QUOTED_MTU 1280 /* what would have fitted */

/* Quotes a packet from the service to the client. Returns its size. */
static size_t put_error(const struct asked *asked, void *at)
{
	bool is_ipv4 = addr_is_v4(&asked->vip);
	struct icmp *icmp = at;
	void *quoted = icmp + 1;
	struct udphdr *ports;
	size_t size;

	icmp->type = is_ipv4 ? ICMP_UNREACHABLE : ICMPV6_TOO_BIG;
	icmp->code = is_ipv4 ? ICMP_FRAG_NEEDED : 0;
	icmp->sequence = bpf_htons(QUOTED_MTU);
	ports = quoted + put_ip(&asked->vip, &asked->client, asked->protocol,
				QUOTED_MTU, quoted);
	ports->source = asked->port;
	ports->dest = asked->client_port;
	size = (size_t)((void *)ports + QUOTED - at);
	icmp->checksum = is_ipv4 ? checksum_of(sum_of(at, size))
				 : sum_above(asked, IPPROTO_ICMPV6, at, size);
	return size;
}

/* The tags, up to the ethertype. Returns where IP begins. */
static void *put_link(const struct asked *asked, const __u8 *mac, void *frame)
{
	__be16 *next = frame + 2 * ETH_ALEN;
	int i;

	memcpy(frame, mac, ETH_ALEN);
	memcpy(frame + ETH_ALEN, from_mac, ETH_ALEN);
	for (i = 0; i < asked->tag_count; i++) {
		*next++ = i + 1 < asked->tag_count ? bpf_htons(ETH_P_8021AD)
						   : bpf_htons(ETH_P_8021Q);
		*next++ = bpf_htons(asked->tags[i]);
	}
	*next++ = addr_is_v4(&asked->vip) ? bpf_htons(ETH_P_IP)
					  : bpf_htons(ETH_P_IPV6);
	return next;
}

size_t asked_frame(const struct asked *asked, const __u8 *mac, __u8 *frame)
{
	bool is_ipv4 = addr_is_v4(&asked->vip);
	size_t header = is_ipv4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	__u8 protocol = asked->protocol;
	void *ip;
	size_t size;

	memset(frame, 0, ASKED_ROOM);
	ip = put_link(asked, mac, frame);
	if (asked->error)
		protocol = is_ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	size = asked->error ? put_error(asked, ip + header)
			    : put_l4(asked, ip + header);
	put_ip(&asked->client, &asked->vip, protocol, size, ip);
	return (size_t)((__u8 *)ip - frame) + header + size;
}

#define HEADERS	    8
#define HEADER_TEXT 160

/* The headers of one frame, the outer ones first. */
struct headers {
	char text[HEADERS][HEADER_TEXT];
	const char *name[HEADERS];
	int count;
};

static char *header_add(struct headers *headers, const char *name)
{
	headers->name[headers->count] = name;
	return headers->text[headers->count++];
}

/* The quoted packet has only ports above IP. */
static void read_quoted(struct headers *headers, __u8 protocol, const __u8 *at,
			const __u8 *end)
{
	const struct udphdr *ports = (const void *)at;

	if (at + QUOTED <= end)
		snprintf(header_add(headers, "quoted ports"), HEADER_TEXT,
			 "%u > %u, protocol %u", bpf_ntohs(ports->source),
			 bpf_ntohs(ports->dest), protocol);
}

static void read_l4(struct headers *headers, __u8 protocol, const __u8 *at,
		    const __u8 *end)
{
	const struct tcphdr *tcp = (const void *)at;
	const struct udphdr *udp = (const void *)at;
	const struct icmp *icmp = (const void *)at;

	if (protocol == IPPROTO_TCP && at + sizeof(*tcp) <= end)
		snprintf(header_add(headers, "tcp"), HEADER_TEXT,
			 "%u > %u%s%s, checksum %04x", bpf_ntohs(tcp->source),
			 bpf_ntohs(tcp->dest), tcp->syn ? " syn" : "",
			 tcp->ack ? " ack" : "",
			 bpf_ntohs((FORCE __be16)tcp->check));
	else if (protocol == IPPROTO_UDP && at + sizeof(*udp) <= end)
		snprintf(header_add(headers, "udp"), HEADER_TEXT,
			 "%u > %u, checksum %04x", bpf_ntohs(udp->source),
			 bpf_ntohs(udp->dest),
			 bpf_ntohs((FORCE __be16)udp->check));
	else if ((protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) &&
		 at + sizeof(*icmp) <= end)
		snprintf(header_add(headers, "icmp"), HEADER_TEXT,
			 "type %u, code %u, checksum %04x", icmp->type,
			 icmp->code, bpf_ntohs((FORCE __be16)icmp->checksum));
	else
		snprintf(header_add(headers, "rest"), HEADER_TEXT,
			 "protocol %u, %td bytes", protocol, end - at);
}

/* For IPv4 or IPv6: returns what follows, and its protocol; NULL: truncated. */
static const __u8 *read_ip(struct headers *headers, const char *name,
			   __be16 ethertype, const __u8 *at, const __u8 *end,
			   __u8 *protocol)
{
	const struct iphdr *ip = (const void *)at;
	const struct ipv6hdr *ipv6 = (const void *)at;
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

	if (ethertype == bpf_htons(ETH_P_IP) && at + sizeof(*ip) <= end) {
		inet_ntop(AF_INET, &ip->saddr, from, sizeof(from));
		inet_ntop(AF_INET, &ip->daddr, to, sizeof(to));
		snprintf(header_add(headers, name), HEADER_TEXT,
			 "%s > %s, TTL %u, DSCP %u, checksum %04x", from, to,
			 ip->ttl, ip->tos >> 2,
			 bpf_ntohs((FORCE __be16)ip->check));
		*protocol = ip->protocol;
		return at + (size_t)ip->ihl * 4;
	}
	if (ethertype == bpf_htons(ETH_P_IPV6) && at + sizeof(*ipv6) <= end) {
		inet_ntop(AF_INET6, &ipv6->saddr, from, sizeof(from));
		inet_ntop(AF_INET6, &ipv6->daddr, to, sizeof(to));
		snprintf(header_add(headers, name), HEADER_TEXT,
			 "%s > %s, hop limit %u, DSCP %u", from, to,
			 ipv6->hop_limit,
			 (ipv6->priority << 4 | ipv6->flow_lbl[0] >> 4) >> 2);
		*protocol = ipv6->nexthdr;
		return at + sizeof(*ipv6);
	}
	return NULL;
}

static void headers_read(struct headers *headers, const __u8 *frame,
			 size_t size)
{
	const struct ethhdr *eth = (const void *)frame;
	const __u8 *at = frame + sizeof(*eth), *end = frame + size;
	__be16 ethertype;
	char from[18], to[18];
	__u8 protocol = 0;

	headers->count = 0;
	if (size < sizeof(*eth))
		return;
	snprintf(header_add(headers, "ethernet"), HEADER_TEXT, "%s > %s",
		 mac_text(eth->h_source, from), mac_text(eth->h_dest, to));
	ethertype = eth->h_proto;
	while (is_tag(ethertype) && at + sizeof(struct tag) <= end &&
	       headers->count < 3) {
		const struct tag *tag = (const void *)at;

		snprintf(header_add(headers, is_tag(tag->protocol)
						     ? "outer vlan"
						     : "vlan"),
			 HEADER_TEXT, "%u", bpf_ntohs(tag->tci) & TAG_VLAN);
		ethertype = tag->protocol;
		at += sizeof(*tag);
	}
	at = read_ip(headers, "ip", ethertype, at, end, &protocol);
	if (at && (protocol == IPPROTO_IPIP || protocol == IPPROTO_IPV6)) {
		headers->name[headers->count - 1] = "outer ip";
		at = read_ip(headers, "ip",
			     protocol == IPPROTO_IPIP ? bpf_htons(ETH_P_IP)
						      : bpf_htons(ETH_P_IPV6),
			     at, end, &protocol);
	}
	if (!at || at > end)
		return;
	read_l4(headers, protocol, at, end);
	if (protocol != IPPROTO_ICMP && protocol != IPPROTO_ICMPV6)
		return;
	at = read_ip(headers, "quoted ip",
		     protocol == IPPROTO_ICMP ? bpf_htons(ETH_P_IP)
					      : bpf_htons(ETH_P_IPV6),
		     at + sizeof(struct icmp), end, &protocol);
	if (at)
		read_quoted(headers, protocol, at, end);
}

static const char *header_find(const struct headers *headers, const char *name)
{
	int i;

	for (i = 0; i < headers->count; i++) {
		if (!strcmp(headers->name[i], name))
			return headers->text[i];
	}
	return NULL;
}

json_t *headers_rows(const __u8 *before, size_t before_size, const __u8 *after,
		     size_t after_size)
{
	struct headers was, is;
	json_t *rows = json_array();
	int i;

	headers_read(&was, before, before_size);
	headers_read(&is, after, after_size);
	for (i = 0; i < is.count; i++)
		json_array_append_new(rows,
				      json_pack("{s:s, s:s?, s:s}", "header",
						is.name[i], "before",
						header_find(&was, is.name[i]),
						"after", is.text[i]));
	return rows;
}
