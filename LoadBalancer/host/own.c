// SPDX-License-Identifier: GPL-2.0-only
/*
 * own.c - VIPs that are addresses of this host
 *
 * A packet for such a VIP but for none of its services is the host's own. The
 * program asks the FIB, which does not distinguish "to this host" from "no
 * route"; so it is also told which addresses this host has.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "LoadBalancer/host/own.h"
#include "common/base/address.h"
#include "common/core/abi_services.h"
#include "common/core/address.h"
#include "common/kernel/map_replace.h"
#include "common/net/netlink.h"

int own_write(const struct kernel *kernel, struct fault *fault_out)
{
	struct addr *keys = calloc(MAX_OWN_ADDRESSES, sizeof(*keys));
	__u32 *ones = calloc(MAX_OWN_ADDRESSES, sizeof(*ones));
	struct link_address *rows = NULL;
	int count, i, own = 0, rc = -1;

	count = addresses_read(&rows, fault_out);
	for (i = 0; keys && ones && i < count && own < MAX_OWN_ADDRESSES; i++) {
		if (!addr_is_host(&rows[i].address))
			continue;
		keys[own] = rows[i].address;
		ones[own++] = 1;
	}
	if (count >= 0 && keys && ones)
		rc = map_replace(kernel_map(kernel, "own_addresses"), keys,
				 sizeof(*keys), ones, sizeof(*ones), own);
	if (rc && count >= 0)
		fault(fault_out, "cannot write this host's addresses: %s",
		      strerror(errno));
	free(rows);
	free(keys);
	free(ones);
	return rc;
}

struct vip {
	struct addr address;
	size_t service; /* its number in the file */
	bool is_again;	/* an earlier service has it */
};

static int by_address(const void *a, const void *b)
{
	const struct vip *x = a, *y = b;

	return memcmp(&x->address, &y->address, sizeof(x->address))
		       ?: (x->service > y->service) - (x->service < y->service);
}

static int by_service(const void *a, const void *b)
{
	const struct vip *x = a, *y = b;

	return (x->service > y->service) - (x->service < y->service);
}

/* The VIPs in the file's order; to be freed. NULL: no memory. */
static struct vip *vips_of(const struct config *config)
{
	size_t i, count = config->service_count;
	struct vip *vips = calloc(count, sizeof(*vips));

	if (!vips)
		return NULL;
	for (i = 0; i < count; i++)
		vips[i] = (struct vip){config->services[i].vip, i, false};
	qsort(vips, count, sizeof(*vips), by_address);
	for (i = 1; i < count; i++)
		vips[i].is_again =
			addr_equal(&vips[i].address, &vips[i - 1].address);
	qsort(vips, count, sizeof(*vips), by_service);
	return vips;
}

int own_vips(const struct config *config,
	     void (*say)(void *data, const struct addr *vip, bool is_own),
	     void *data)
{
	struct link_address *rows = NULL;
	struct fault ignored;
	int count = addresses_read(&rows, &ignored);
	struct vip *vips = vips_of(config);
	size_t i;

	for (i = 0; vips && count >= 0 && i < config->service_count; i++) {
		const struct addr *vip = &vips[i].address;

		if (!vips[i].is_again)
			say(data, vip, addresses_have(rows, count, vip));
	}
	free(rows);
	free(vips);
	return count < 0 || !vips ? -1 : 0;
}

struct notes {
	const struct config *config;
	FILE *out;
	bool any_passes; /* some key says so */
};

/* Has a service of this VIP `on-all-down: pass`? */
static bool passes_all_down(const struct config *config, const struct addr *vip)
{
	size_t i;

	for (i = 0; i < config->service_count; i++) {
		if (config->services[i].on_all_down == ALL_DOWN_PASS &&
		    addr_equal(&config->services[i].vip, vip))
			return true;
	}
	return false;
}

const char *own_passes(const struct config *config, const struct addr *vip)
{
	if (config->unmatched == UNMATCHED_PASS)
		return "unmatched: pass";
	return passes_all_down(config, vip) ? "on-all-down: pass" : NULL;
}

static void note(void *data, const struct addr *vip, bool is_own)
{
	const struct notes *notes = data;
	const char *passes =
		notes->any_passes ? own_passes(notes->config, vip) : NULL;
	char text[INET6_ADDRSTRLEN];

	addr_text(vip, text);
	if (!is_own && passes)
		fprintf(notes->out,
			"%s: note: VIP %s is no address of this host: xdp_lbr "
			"drops those packets of `%s` that the kernel would "
			"send back (would_loop)\n",
			notes->config->path, text, passes);
	if (!is_own)
		return;
	if (notes->config->unmatched == UNMATCHED_DROP)
		fprintf(notes->out,
			"%s: warning: VIP %s is an address of this host, and "
			"`unmatched: drop` drops packets for none of its "
			"services: SSH to it, answers to this host's own "
			"connections from it\n",
			notes->config->path, text);
	else
		fprintf(notes->out,
			"%s: note: VIP %s is an address of this host: what is "
			"for none of its services is passed up, to this host "
			"(SSH, answers to its own connections)\n",
			notes->config->path, text);
}

void lbr_notes(const struct config *config, FILE *out)
{
	struct notes notes = {config, out, config->unmatched == UNMATCHED_PASS};
	size_t i;

	for (i = 0; i < config->service_count; i++)
		notes.any_passes |=
			config->services[i].on_all_down == ALL_DOWN_PASS;
	own_vips(config, note, &notes);
}
