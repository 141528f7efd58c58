// SPDX-License-Identifier: GPL-2.0-only
/*
 * drops.c - packets for services that xdp_bkd does not restore at the moment
 */
#include "Backend/doctor/doctor.h"
#include "common/doctor/drops.h"

static const struct drop_advice advice[] = {
	{REASON_foreign_source, HEALTH_FAIL,
	 "tcpdump -c 1 -ni IFACE 'ip proto 4 or ip proto 41 or ip6 proto 4 or "
	 "ip6 proto 41'; its sender belongs in FILE, lb-sources"},
	{REASON_restore_expired, HEALTH_FAIL,
	 "bkd apply FILE; a load balancer goes by another file"},
	{REASON_second_chance_rate, HEALTH_FAIL,
	 "bkd apply FILE, with a larger second-chance-limit"},
	{REASON_second_chance_neighbour, HEALTH_FAIL,
	 "bkd apply FILE, which asks for them again; bkd run does so by "
	 "itself"},
	{REASON_second_chance_merged, HEALTH_FAIL,
	 "ethtool -K IFACE gro off, of the interface that bkd doctor names"},
	{REASON_congestion_lost, HEALTH_WARN, "bkd trace all"},
	{REASON_fragment_passed, HEALTH_WARN, "bkd trace all"},
	{REASON_extension_passed, HEALTH_WARN, "bkd trace all"},
	{0},
};

void look_drops(struct doctor *doctor)
{
	static const enum reason restored[] = {
		REASON_restored, REASON_decapsulated, REASON_delivered,
		REASON_second_chance_spent};
	const struct drop_advice *row;
	__u64 risen[REASON_MAX], all = 0;
	size_t i;

	drops_end(doctor, risen);
	for (i = 0; i < sizeof(restored) / sizeof(restored[0]); i++)
		all += risen[restored[i]];
	for (row = advice; row->command; row++)
		all += risen[row->reason];
	drops_tell(doctor, risen, all, advice);
	if (!doctor->said)
		report(doctor, HEALTH_OK,
		       "each of %llu packets for services just now was passed "
		       "to the server",
		       (unsigned long long)all);
}
