// SPDX-License-Identifier: GPL-2.0-only
/*
 * own.c - VIPs that are addresses of this host, and others that are
 * passed up
 */
#include <arpa/inet.h>
#include <string.h>

#include "LoadBalancer/doctor/doctor.h"
#include "LoadBalancer/host/own.h"
#include "common/base/address.h"
#include "common/core/abi_services.h"
#include "common/net/routes.h"

static void default_again(struct doctor *doctor)
{
	mend(doctor,
	     "sed -i -e '/^unmatched:/d' -e '/on-all-down: pass$/d' %s && lbr "
	     "apply %s",
	     doctor->path, doctor->path);
}

/*
 * Where the kernel would send packets for the VIP, if by an interface by which
 * they come in.
 */
static const char *back_by(const struct doctor *doctor, const struct addr *vip,
			   char name[IF_NAMESIZE])
{
	struct next_hop hop;
	struct fault ignored;
	int i;

	if (next_hop_read(vip, &hop, &ignored) || !hop.ifindex ||
	    !if_indextoname((unsigned)hop.ifindex, name))
		return NULL;
	for (i = 0; doctor->names[i]; i++) {
		if (!strcmp(doctor->names[i], name))
			return name;
	}
	return NULL;
}

static void look_own_vip(void *data, const struct addr *vip, bool is_own)
{
	struct doctor *doctor = data;
	char text[INET6_ADDRSTRLEN], name[IF_NAMESIZE];
	const char *passes = own_passes(&doctor->config, vip);
	__u8 unmatched = doctor->config.unmatched;

	addr_text(vip, text);
	if (is_own && unmatched == UNMATCHED_DROP) {
		report(doctor, HEALTH_WARN,
		       "%s is an address of this host, and unmatched: drop "
		       "cuts it off there: SSH, answers to its own connections",
		       text);
		default_again(doctor);
	} else if (is_own) {
		report(doctor, HEALTH_OK,
		       "%s is an address of this host: what is for none of its "
		       "services is passed up",
		       text);
	} else if (passes && back_by(doctor, vip, name)) {
		report(doctor, HEALTH_WARN,
		       "%s is no address of this host: its kernel would send "
		       "packets of %s back out of %s, so they are dropped "
		       "(would_loop)",
		       text, passes, name);
		default_again(doctor);
	}
}

void look_own_vips(struct doctor *doctor)
{
	if (own_vips(&doctor->config, look_own_vip, doctor))
		report(doctor, HEALTH_UNKNOWN,
		       "this host's addresses cannot be read");
	else if (!doctor->said)
		report(doctor, HEALTH_OK, "no VIP is an address of this host");
}
