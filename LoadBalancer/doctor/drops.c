// SPDX-License-Identifier: GPL-2.0-only
/*
 * drops.c - what xdp_lbr drops at the moment, and why
 */
#include "LoadBalancer/doctor/doctor.h"
#include "common/doctor/drops.h"

#define ROUTES "ip rule; ip route show table all"

static const struct drop_advice advice[] = {
	{REASON_no_configuration, HEALTH_FAIL, "lbr apply FILE"},
	{REASON_no_backend, HEALTH_FAIL, "lbr show backends"},
	{REASON_fib_blackhole, HEALTH_FAIL, ROUTES " type blackhole"},
	{REASON_fib_unreachable, HEALTH_FAIL, ROUTES " type unreachable"},
	{REASON_fib_prohibit, HEALTH_FAIL, ROUTES " type prohibit"},
	{REASON_fib_not_forwarded, HEALTH_FAIL, ROUTES},
	{REASON_fib_forwarding_disabled, HEALTH_FAIL, "lbr apply FILE"},
	{REASON_fib_unsupported, HEALTH_FAIL, ROUTES " | grep encap"},
	{REASON_fib_too_big, HEALTH_FAIL, "lbr show next-hops"},
	{REASON_fib_error, HEALTH_FAIL, "lbr watch fib_error"},
	{REASON_neighbour_missing, HEALTH_FAIL,
	 "lbr apply FILE; lbr show next-hops"},
	{REASON_off_link, HEALTH_FAIL,
	 "lbr show next-hops; for a backend behind a router: forward: ipip"},
	{REASON_no_outer_source, HEALTH_FAIL,
	 "ip address show dev IFACE; or, in FILE, outer-source: [ADDRESS]"},
	{REASON_no_room, HEALTH_FAIL, "lbr up -m generic -c FILE"},
	{REASON_no_port, HEALTH_FAIL,
	 "in FILE, another address in nat-source, or a larger nat-table-size"},
	{REASON_queue_full, HEALTH_FAIL, "lbr show workers"},
	{REASON_request_fragmented, HEALTH_WARN,
	 "lbr watch request_fragmented"},
	/* Sent by clients or strangers; not a fault of this host. */
	{REASON_no_flow, HEALTH_WARN, "lbr show reasons"},
	{REASON_unmatched, HEALTH_WARN, "lbr watch unmatched"},
	{REASON_malformed_vip, HEALTH_WARN, "lbr watch malformed_vip"},
	{0},
};

/*
 * The kernel forwards packets whose next hop has no MAC address yet. That is
 * normal if it happens now and then.
 */
#define SELDOM 10 /* one of this many packets */

void look_drops(struct doctor *doctor)
{
	static const enum reason sent[] = {
		REASON_forwarded,	  REASON_redirected,
		REASON_super_packet,	  REASON_neighbour_unresolved,
		REASON_no_backend_passed, REASON_translated,
		REASON_returned};
	__u64 risen[REASON_MAX], all = 0;
	size_t i;

	drops_end(doctor, risen);
	for (i = 0; i < sizeof(sent) / sizeof(sent[0]); i++)
		all += risen[sent[i]];
	for (i = 0; i < REASON_MAX; i++) {
		if (reason_action((enum reason)i) == XDP_DROP)
			all += risen[i];
	}
	drops_tell(doctor, risen, all, advice);
	if (risen[REASON_neighbour_unresolved] > SELDOM &&
	    risen[REASON_neighbour_unresolved] * SELDOM > all) {
		report(doctor, HEALTH_FAIL,
		       "%llu of %llu packets just now were forwarded by the "
		       "kernel, because the next hop has no MAC address",
		       (unsigned long long)risen[REASON_neighbour_unresolved],
		       (unsigned long long)all);
		mend(doctor, "lbr apply %s; lbr show next-hops", doctor->path);
	}
	if (!doctor->said)
		report(doctor, HEALTH_OK,
		       "none of %llu packets for services just now was dropped",
		       (unsigned long long)all);
}
