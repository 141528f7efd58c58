// SPDX-License-Identifier: GPL-2.0-only
/*
 * secrets.c - see secrets.h
 *
 * A load reuses the pinned map, so what an earlier `up` has drawn stays as long
 * as the pins do. Nothing prints it.
 */
#include "LoadBalancer/generation/secrets.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/kernel/takeover.h"

int secrets_read(const struct kernel *kernel, struct secrets *secrets)
{
	int map = takeover_map(kernel, "secrets", sizeof(*secrets)), rc = -1;
	__u32 zero = 0;

	if (map >= 0) {
		rc = bpf_map_lookup_elem(map, &zero, secrets);
		close(map);
	}
	return rc;
}

int secrets_write(const struct kernel *kernel, const struct secrets *secrets)
{
	int map = kernel_map(kernel, "secrets"), rc = -1;
	__u32 zero = 0;

	if (map >= 0) {
		rc = bpf_map_update_elem(map, &zero, secrets, BPF_ANY);
		close(map);
	}
	return rc;
}

int secrets_make(const struct kernel *kernel, struct fault *fault_out)
{
	static const struct secrets none;
	struct secrets secrets;
	int rc = secrets_read(kernel, &secrets);

	if (!rc && !memcmp(&secrets, &none, sizeof(none))) {
		/* Up to 256 bytes are never cut short (random(4)). */
		rc = getrandom(&secrets, sizeof(secrets), 0) != sizeof(secrets);
		rc = rc ?: secrets_write(kernel, &secrets);
	}
	if (rc)
		fault(fault_out, "cannot make the secrets: %s",
		      strerror(errno));
	memset(&secrets, 0, sizeof(secrets));
	return rc ? -1 : 0;
}
