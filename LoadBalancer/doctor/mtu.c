// SPDX-License-Identifier: GPL-2.0-only
/*
 * mtu.c - do the largest packets that come here fit on the path to a backend?
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "LoadBalancer/doctor/doctor.h"
#include "LoadBalancer/host/path_mtus.h"
#include "common/base/address.h"
#include "common/core/address.h"
#include "common/core/tunnel.h"
#include "common/net/device.h"
#include "common/net/netlink.h"

/* The largest packet that comes in by any interface of the program. */
static int largest(const struct doctor *doctor)
{
	const char *const *name;
	int mtu, most = 0;

	for (name = doctor->names; *name; name++) {
		mtu = device_mtu(*name);
		if (mtu > most)
			most = mtu;
	}
	return most;
}

/* The path to a backend that takes the least of clients' packets. */
struct narrow_path {
	const struct config_service *service; /* NULL: no path takes less */
	const struct config_backend *backend;
	struct path_size size;
	__u32 overhead;
	int mss; /* of the TCP segments that fit */
};

/* Does an earlier service have the same path to that backend? */
static bool path_seen(const struct config *config, size_t service,
		      const struct addr *address)
{
	const struct config_service *this = &config->services[service], *other;
	size_t b;

	for (other = config->services; other < this; other++) {
		if (other->method.forward != this->method.forward ||
		    addr_is_v4(&other->vip) != addr_is_v4(&this->vip))
			continue;
		for (b = 0; b < other->backend_count; b++) {
			if (addr_equal(&other->backends[b].address, address))
				return true;
		}
	}
	return false;
}

static void narrow_path_note(const struct doctor *doctor,
			     const struct config_service *service,
			     const struct config_backend *backend, int most,
			     struct narrow_path *least)
{
	struct narrow_path path = {
		.service = service,
		.backend = backend,
		.size = path_size(&doctor->kernel, &backend->address,
				  backend->mtu),
		.overhead =
			method_overhead(&service->method, &backend->address),
	};
	int room = (int)(path.size.mtu - path.overhead);

	if (!path.size.mtu || room >= most)
		return;
	path.mss = room - (addr_is_v4(&service->vip) ? 40 : 60);
	if (!least->service || path.mss < least->mss)
		*least = path;
}

static void narrow_path_report(struct doctor *doctor,
			       const struct narrow_path *least, int most)
{
	int room = (int)(least->size.mtu - least->overhead);
	bool lost = !addr_is_v4(&least->service->vip) && room < IPV6_LEAST;
	char text[INET6_ADDRSTRLEN], outer[64] = "";

	if (least->overhead)
		snprintf(outer, sizeof(outer), ", less %u for the outer header",
			 least->overhead);
	report(doctor, lost ? HEALTH_FAIL : HEALTH_WARN,
	       "the path to %s takes %d bytes (%s: %u%s), and clients send up "
	       "to %d%s; here, and with the same file on each backend:",
	       addr_text(&least->backend->address, text), room, least->size.by,
	       least->size.mtu, outer, most,
	       lost ? ", and no IPv6 client can be told to send less than 1280"
		    : "");
	mend(doctor,
	     "sed -i -e '/^advmss:/d' -e '$a advmss: %d' %s && lbr apply %s",
	     least->mss, doctor->path, doctor->path);
}

void look_mtu(struct doctor *doctor)
{
	const struct config_service *service = doctor->config.services;
	struct narrow_path least = {0};
	int most = largest(doctor);
	size_t s, b;

	for (s = 0; s < doctor->config.service_count; s++, service++) {
		for (b = 0; b < service->backend_count; b++) {
			if (!path_seen(&doctor->config, s,
				       &service->backends[b].address))
				narrow_path_note(doctor, service,
						 &service->backends[b], most,
						 &least);
		}
	}
	if (!least.service)
		report(doctor, HEALTH_OK,
		       "the backends are sent what comes: up to %d bytes",
		       most);
	else if (doctor->config.advmss &&
		 (int)doctor->config.advmss <= least.mss)
		report(doctor, HEALTH_OK,
		       "advmss %u: clients send no more than the path to the "
		       "backends takes",
		       doctor->config.advmss);
	else
		narrow_path_report(doctor, &least, most);
}
