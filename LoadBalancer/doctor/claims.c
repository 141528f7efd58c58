// SPDX-License-Identifier: GPL-2.0-only
/*
 * claims.c - does another host answer for the VIPs that are ours?
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "LoadBalancer/doctor/doctor.h"
#include "LoadBalancer/host/own.h"
#include "common/base/address.h"
#include "common/net/claims_ask.h"

#define WAIT 1000 /* milliseconds: a proxy with the default delay takes 800 */

struct asking {
	struct doctor *doctor;
	struct claimed *rows;
	int count;
};

static void ask_for(void *data, const struct addr *vip, bool is_own)
{
	struct asking *asking = data;
	struct doctor *doctor = asking->doctor;
	const char *const *name;
	const struct link *link;
	struct claimed *grown;

	if (!is_own && !doctor->config.claim)
		return;
	for (name = doctor->names; *name; name++) {
		link = doctor_link(doctor, *name);
		if (!link) /* just removed */
			continue;
		grown = realloc(asking->rows,
				((size_t)asking->count + 1) * sizeof(*grown));
		if (!grown)
			return;
		asking->rows = grown;
		grown[asking->count] = (struct claimed){
			.address = *vip, .ifindex = link->ifindex};
		memcpy(grown[asking->count++].own, link->mac, 6);
	}
}

static void answered(struct doctor *doctor, const struct claimed *row)
{
	static const __u8 nobody[6];
	char text[INET6_ADDRSTRLEN], mac[18], name[IF_NAMESIZE] = "?";

	if (!memcmp(row->other, nobody, sizeof(nobody)))
		return;
	if_indextoname((unsigned)row->ifindex, name);
	report(doctor, HEALTH_WARN,
	       "%s on %s: %s answers for it, too: hosts there go to the one or "
	       "the other",
	       addr_text(&row->address, text), name, mac_text(row->other, mac));
	mend(doctor, "bkd doctor, if that is a backend's; else on that host: "
		     "ip address; ip neigh show proxy");
}

void look_claims(struct doctor *doctor)
{
	struct asking asking = {doctor, NULL, 0};
	int i;

	if (own_vips(&doctor->config, ask_for, &asking)) {
		report(doctor, HEALTH_UNKNOWN,
		       "this host's addresses cannot be read");
	} else if (!asking.count) {
		report(doctor, HEALTH_OK,
		       "routers send the VIPs here: nobody asks for them");
	} else if (claims_ask(asking.rows, asking.count, WAIT)) {
		report(doctor, HEALTH_UNKNOWN,
		       "cannot ask for the VIPs by ARP");
	} else {
		for (i = 0; i < asking.count; i++)
			answered(doctor, &asking.rows[i]);
		if (!doctor->said)
			report(doctor, HEALTH_OK,
			       "nobody else answers for the VIPs");
	}
	free(asking.rows);
}
