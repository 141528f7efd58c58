// SPDX-License-Identifier: GPL-2.0-only
/*
 * secrets.c - fill the map `secrets`, once
 *
 * A load reuses the pinned map, so what an earlier `up` has drawn stays as long
 * as the pins do. Nothing prints it.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "LoadBalancer/generation/generation.h"

int secrets_make(const struct kernel *kernel, struct fault *fault_out)
{
	static const struct secrets none;
	int map = kernel_map(kernel, "secrets"), rc;
	struct secrets secrets;
	__u32 zero = 0;

	rc = bpf_map_lookup_elem(map, &zero, &secrets);
	if (!rc && !memcmp(&secrets, &none, sizeof(none))) {
		/* Up to 256 bytes are never cut short (random(4)). */
		rc = getrandom(&secrets, sizeof(secrets), 0) != sizeof(secrets);
		rc = rc ?: bpf_map_update_elem(map, &zero, &secrets, BPF_ANY);
	}
	if (rc)
		fault(fault_out, "cannot make the secrets: %s",
		      strerror(errno));
	if (map >= 0)
		close(map);
	memset(&secrets, 0, sizeof(secrets));
	return rc ? -1 : 0;
}
