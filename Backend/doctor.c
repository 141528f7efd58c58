// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor.c - what can be wrong on a backend
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "Backend/bkd.h"
#include "common/doctor/doctor.h"
#include "common/tool/change.h"
#include "common/tool/generation.h"
#include "common/tool/write.h"

static void look_listed(struct doctor *doctor)
{
	struct kernel *kernel = &doctor->kernel;
	struct fault said;

	kernel->address_count =
		change_addresses(kernel, kernel->addresses, MAX_OWN);
	if (!bkd_concerns(kernel, &doctor->config, &said)) {
		found(doctor, HEALTH_OK, "%s lists an address of this host",
		      doctor->path);
		return;
	}
	found(doctor, HEALTH_FAIL, "%s", said.cause);
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
	found(doctor, good ? HEALTH_OK : HEALTH_FAIL,
	      "as %s says, digest %s: %d restored", doctor->path,
	      digest_text(doctor->config.digest, digest), good);
	if (!good)
		mend(doctor, "bkd apply %s", doctor->path);
}

/* The file's services that this host is a backend of: their VIPs, each once. */
static bool is_needed(const struct doctor *doctor, size_t service,
		      const struct addr *own, int count)
{
	const struct config_service *services = doctor->config.services;
	size_t i;

	for (i = 0; i < service; i++) {
		if (!memcmp(&services[i].vip, &services[service].vip,
			    sizeof(struct addr)))
			return false;
	}
	for (i = 0; i < services[service].backend_count; i++) {
		if (is_own(&services[service].backends[i].address, own, count))
			return true;
	}
	return false;
}

static void vip_look(struct doctor *doctor, const struct addr *vip,
		     const struct link_address *rows, int count)
{
	int lo = (int)if_nametoindex("lo"), i;
	char text[INET6_ADDRSTRLEN], name[IF_NAMESIZE];

	addr_text(vip, text);
	for (i = 0; i < count; i++) {
		if (memcmp(&rows[i].address, vip, sizeof(*vip)))
			continue;
		if (rows[i].ifindex == lo)
			return;
		if_indextoname((unsigned)rows[i].ifindex, name);
		found(doctor, HEALTH_FAIL,
		      "%s is on %s, which claims it on its segment", text,
		      name);
		mend(doctor,
		     "ip address del %s/%d dev %s; ip address add %s/%d dev lo",
		     text, rows[i].prefix, name, text,
		     addr_is_ipv4(vip) ? 32 : 128);
		return;
	}
	found(doctor, HEALTH_FAIL, "%s is not on lo: no server answers for it",
	      text);
	mend(doctor, "ip address add %s/%d dev lo", text,
	     addr_is_ipv4(vip) ? 32 : 128);
}

static void look_vips(struct doctor *doctor)
{
	struct link_address *rows = NULL;
	struct addr *own = NULL;
	struct fault said;
	int count = addresses_read(&rows, &said);
	int own_count = own_addresses(&doctor->kernel, &own, &said);
	size_t s;

	for (s = 0;
	     count >= 0 && own_count >= 0 && s < doctor->config.service_count;
	     s++) {
		if (is_needed(doctor, s, own, own_count))
			vip_look(doctor, &doctor->config.services[s].vip, rows,
				 count);
	}
	if (count < 0 || own_count < 0)
		found(doctor, HEALTH_UNKNOWN, "%s", said.cause);
	else if (!doctor->said)
		found(doctor, HEALTH_OK, "the VIPs are on lo");
	free(rows);
	free(own);
}

/* The kernel goes by the greater of the interface's own and that of `all`. */
static int effective(const char *name, const char *key)
{
	int all = sysctl_number("net/ipv4/conf/all/%s", key);
	int own = sysctl_number("net/ipv4/conf/%.15s/%s", name, key);

	return own > all ? own : all;
}

/* IPv6 needs none of it: it answers for what is on the interface itself. */
static void look_silence(struct doctor *doctor)
{
	const char *const *name;

	for (name = doctor->names; *name; name++) {
		if (effective(*name, "arp_ignore") < 1) {
			found(doctor, HEALTH_FAIL,
			      "%s: answers ARP for the VIP on lo", *name);
			mend(doctor, "sysctl -w net/ipv4/conf/%s/arp_ignore=1",
			     *name);
		}
		if (effective(*name, "arp_announce") < 2) {
			found(doctor, HEALTH_FAIL,
			      "%s: asks by ARP with the VIP as sender", *name);
			mend(doctor,
			     "sysctl -w net/ipv4/conf/%s/arp_announce=2",
			     *name);
		}
	}
	if (!doctor->said)
		found(doctor, HEALTH_OK, "%s: claims no VIP by ARP",
		      doctor->names[0]);
}

const struct exam bkd_exams[] = {
	EXAM_KERNEL,
	EXAM_FILE,
	EXAM_OTHERS,
	EXAM_PROGRAM,
	EXAM_MODE,
	EXAM_LINK,
	EXAM_VETH,
	EXAM_MERGING,
	EXAM_VLANS,
	EXAM_MACS,
	EXAM_SETTINGS,
	{"listed", "an address of this host is in the file", NEEDS_FILE,
	 look_listed},
	{"running", "what runs is what the file says", NEEDS_BOTH,
	 look_running},
	EXAM_TRACE,
	{"vips", "the VIPs are on lo, and nowhere else", NEEDS_FILE, look_vips},
	{"silence", "nobody is told by ARP that the VIPs are here", NEEDS_UP,
	 look_silence},
	EXAM_RP_FILTER,
	EXAM_BRIDGE,
	{0},
};
