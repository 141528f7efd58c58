// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor.c - what doctor looks at on a backend
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "Backend/doctor/doctor.h"
#include "Backend/generation/generation.h"
#include "Backend/host/host.h"
#include "common/base/address.h"
#include "common/config/write.h"
#include "common/core/address.h"
#include "common/host/change.h"
#include "common/host/local_route.h"
#include "common/kernel/generation.h"

static void look_listed(struct doctor *doctor)
{
	struct kernel *kernel = &doctor->kernel;
	struct fault said;

	kernel->address_count =
		change_addresses(kernel, kernel->addresses, MAX_OWN);
	if (!bkd_concerns(kernel, &doctor->config, &said)) {
		report(doctor, HEALTH_OK, "%s lists an address of this host",
		       doctor->path);
		return;
	}
	report(doctor, HEALTH_FAIL, "%s", said.cause);
	mend(doctor, "%s; then bkd apply %s", said.hint, doctor->path);
}

static void look_running(struct doctor *doctor)
{
	struct restore_row *rows;
	int count, i, good = 0;
	char digest[DIGEST_TEXT];

	if (look_digest(doctor))
		return;
	count = restores_read(&doctor->kernel,
			      generation_current(&doctor->kernel), &rows);
	for (i = 0; i < count; i++)
		good += !rows[i].restore.until;
	free(rows);
	report(doctor, good ? HEALTH_OK : HEALTH_FAIL,
	       "as %s says, digest %s: %d restored", doctor->path,
	       digest_text(doctor->config.digest, digest), good);
	if (!good)
		mend(doctor, "bkd apply %s", doctor->path);
}

int served_read(struct doctor *doctor, struct served *served)
{
	const struct config *config = &doctor->config;
	struct addr *own;
	struct fault said;
	int count = own_addresses(&doctor->kernel, &own, &said);
	const struct config_backend *here;
	size_t s;

	*served = (struct served){NULL, NULL, 0};
	if (count >= 0) {
		served->services =
			calloc(config->service_count + 1, sizeof(void *));
		served->backends =
			calloc(config->service_count + 1, sizeof(void *));
	}
	if (!served->services || !served->backends) {
		report(doctor, HEALTH_UNKNOWN, "%s",
		       count < 0 ? said.cause : strerror(ENOMEM));
		served_free(served);
		if (count >= 0)
			free(own);
		return -1;
	}
	for (s = 0; s < config->service_count; s++) {
		here = backend_here(&config->services[s], own, count);
		if (!here)
			continue;
		served->backends[served->count] = here;
		served->services[served->count++] = &config->services[s];
	}
	free(own);
	return 0;
}

void served_free(struct served *served)
{
	free(served->services);
	free(served->backends);
}

/* Does an earlier service have the same VIP, and its server listen likewise? */
static bool vip_came_before(const struct served *served, size_t service)
{
	size_t i;

	for (i = 0; i < service; i++) {
		if (!memcmp(&served->services[i]->vip,
			    &served->services[service]->vip,
			    sizeof(struct addr)) &&
		    served->backends[i]->restore ==
			    served->backends[service]->restore)
			return true;
	}
	return false;
}

/* restore: tc: no interface need have the VIP. */
static void local_look(struct doctor *doctor, const char *vip)
{
	report(doctor, HEALTH_FAIL,
	       "this host takes no packet for %s: it has no local route for it",
	       vip);
	mend(doctor, "bkd apply %s", doctor->path);
}

static void vip_look(struct doctor *doctor, const struct addr *vip,
		     enum config_restore restore,
		     const struct link_address *rows, int count)
{
	int lo = (int)if_nametoindex("lo"), i;
	char text[INET6_ADDRSTRLEN], name[IF_NAMESIZE], add[96];

	bool is_on_lo = restore == RESTORE_TC && local_route_is(vip);

	addr_text(vip, text);
	snprintf(add, sizeof(add), "ip address add %s/%d dev lo; ", text,
		 addr_is_v4(vip) ? 32 : 128);
	for (i = 0; i < count; i++) {
		if (!memcmp(&rows[i].address, vip, sizeof(*vip)))
			is_on_lo |= rows[i].ifindex == lo;
	}
	for (i = 0; i < count; i++) {
		if (memcmp(&rows[i].address, vip, sizeof(*vip)) ||
		    rows[i].ifindex == lo)
			continue;
		if_indextoname((unsigned)rows[i].ifindex, name);
		report(doctor, HEALTH_FAIL,
		       "%s is on %s, which claims it on its segment", text,
		       name);
		mend(doctor, "%sip address del %s/%d dev %s",
		     is_on_lo ? "" : add, text, rows[i].prefix, name);
		is_on_lo = true; /* once that is done */
	}
	if (is_on_lo)
		return;
	if (restore == RESTORE_TC) {
		local_look(doctor, text);
		return;
	}
	report(doctor, HEALTH_FAIL, "%s is not on lo: no server answers for it",
	       text);
	mend(doctor, "ip address add %s/%d dev lo", text,
	     addr_is_v4(vip) ? 32 : 128);
}

static void look_vips(struct doctor *doctor)
{
	struct link_address *rows = NULL;
	struct served served;
	struct fault said;
	int count;
	size_t s;

	if (served_read(doctor, &served))
		return;
	count = addresses_read(&rows, &said);
	for (s = 0; count >= 0 && s < served.count; s++) {
		if (!vip_came_before(&served, s))
			vip_look(doctor, &served.services[s]->vip,
				 served.backends[s]->restore, rows, count);
	}
	if (count < 0)
		report(doctor, HEALTH_UNKNOWN, "%s", said.cause);
	else if (!doctor->said)
		report(doctor, HEALTH_OK,
		       "the VIPs are on lo, or local by a route "
		       "(restore: tc)");
	free(rows);
	served_free(&served);
}

/* The kernel uses the greater of the interface's own and that of `all`. */
static int effective(const char *name, const char *key)
{
	int all = sysctl_number("net/ipv4/conf/all/%s", key);
	int own = sysctl_number("net/ipv4/conf/%.15s/%s", name, key);

	return own > all ? own : all;
}

static void silence_look(struct doctor *doctor, const char *key, int least,
			 const char *does)
{
	char names[128] = "";
	size_t used = 0;
	int i;

	for (i = 0; i < doctor->link_count; i++) {
		const char *name = doctor->links[i].name;

		if (!strcmp(name, "lo") || effective(name, key) >= least ||
		    used + IF_NAMESIZE + 2 > sizeof(names))
			continue;
		used += (size_t)snprintf(names + used, sizeof(names) - used,
					 "%s%s", used ? ", " : "", name);
	}
	if (!used)
		return;
	report(doctor, HEALTH_FAIL, "%s: %s", names, does);
	mend(doctor, "sysctl -w net/ipv4/conf/all/%s=%d", key, least);
}

/*
 * On any interface: the kernel answers for an address of lo on whatever
 * interface is asked. IPv6 needs nothing: it answers only for addresses of the
 * interface itself.
 */
static void look_silence(struct doctor *doctor)
{
	silence_look(doctor, "arp_ignore", 1, "answers ARP for the VIP on lo");
	silence_look(doctor, "arp_announce", 2,
		     "asks by ARP with the VIP as sender");
	if (!doctor->said)
		report(doctor, HEALTH_OK, "no interface claims a VIP by ARP");
}

const struct examination bkd_examinations[] = {
	EXAMINATIONS_FIRST,
	{"listed", "an address of this host is in the file", NEEDS_FILE,
	 look_listed},
	{"running", "what runs is what the file says", NEEDS_BOTH,
	 look_running},
	EXAMINE_TRACE,
	{"vips", "the VIPs are on lo (restore: tc: local), and nowhere else",
	 NEEDS_FILE, look_vips},
	{"silence", "nobody is told by ARP that the VIPs are here", NEEDS_UP,
	 look_silence},
	{"drops", "no packet for a service is lost just now", NEEDS_UP,
	 look_drops},
	{"listeners",
	 "a server listens for each service, on the VIP or the own address",
	 NEEDS_FILE, look_listeners},
	{"second-chance",
	 "other backends find what is not here; whom a transition waits for",
	 NEEDS_BOTH, look_second_chance},
	{"firewall", "no rule drops what is for a service", NEEDS_FILE,
	 look_firewall},
	{"replies", "this host has a route back to clients", NEEDS_FILE,
	 look_replies},
	EXAMINE_RP_FILTER,
	EXAMINE_BRIDGE,
	{0},
};
