// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/tool/change.h"
#include "common/tool/netlink.h"

/* Reads entry `i`; false behind the last. */
static bool change_at(int map, __u32 i, struct change *change)
{
	return i < MAX_CHANGES && !bpf_map_lookup_elem(map, &i, change) &&
	       *change->kind;
}

/* Writes down a change, unless that thing is there already. */
static int change_note(struct kernel *kernel, const char *kind,
		       const char *what, const char *before,
		       struct fault *fault_out)
{
	int map = kernel_map(kernel, "changes"), rc;
	struct change change;
	__u32 i;

	for (i = 0; change_at(map, i, &change); i++) {
		if (!strcmp(change.kind, kind) && !strcmp(change.what, what)) {
			close(map);
			return 0;
		}
	}
	memset(&change, 0, sizeof(change));
	snprintf(change.kind, sizeof(change.kind), "%s", kind);
	snprintf(change.what, sizeof(change.what), "%s", what);
	snprintf(change.before, sizeof(change.before), "%s", before);
	rc = bpf_map_update_elem(map, &i, &change, BPF_ANY);
	close(map);
	if (rc)
		return fault(fault_out,
			     "cannot note the change of %s, so it is not "
			     "made: %s",
			     what, strerror(errno));
	return 0;
}

static int sysctl_open(const char *path, int flags)
{
	char file[256];

	snprintf(file, sizeof(file), "/proc/sys/%s", path);
	return open(file, flags | O_CLOEXEC);
}

int sysctl_read(const char *path, char *value, size_t size)
{
	int fd = sysctl_open(path, O_RDONLY);
	ssize_t length;

	if (fd < 0)
		return -1;
	length = read(fd, value, size - 1);
	close(fd);
	if (length < 0)
		return -1;
	value[length] = '\0';
	value[strcspn(value, "\n")] = '\0';
	return 0;
}

static int sysctl_write(const char *path, const char *value)
{
	int fd = sysctl_open(path, O_WRONLY), rc;

	if (fd < 0)
		return -1;
	rc = write(fd, value, strlen(value)) < 0 ? -1 : 0;
	close(fd);
	return rc;
}

int change_sysctl(struct kernel *kernel, const char *path, const char *value,
		  struct fault *fault_out)
{
	char before[64];

	if (sysctl_read(path, before, sizeof(before)))
		return fault(fault_out, "cannot read sysctl %s: %s", path,
			     strerror(errno));
	if (!strcmp(before, value))
		return 0;
	if (change_note(kernel, "sysctl", path, before, fault_out))
		return -1;
	if (sysctl_write(path, value)) {
		fault(fault_out, "cannot set sysctl %s to %s: %s", path, value,
		      strerror(errno));
		return fault_hint(fault_out,
				  "sysctl -w %s=%s on this host; for a "
				  "container, --sysctl when it is started",
				  path, value);
	}
	printf("sysctl %s: %s -> %s\n", path, before, value);
	return 0;
}

int change_vip(struct kernel *kernel, const struct addr *vip,
	       struct fault *fault_out)
{
	struct link_address *addresses;
	int i, rc, count = addresses_read(&addresses, fault_out);
	char text[64];

	if (count < 0)
		return -1;
	for (i = 0; i < count; i++) {
		if (!memcmp(&addresses[i].address, vip, sizeof(*vip)))
			break;
	}
	free(addresses);
	if (i < count)
		return 0;
	addr_text(vip, text);
	if (change_note(kernel, "address", text, "", fault_out))
		return -1;
	rc = address_on_lo(vip, true);
	if (rc && rc != -EEXIST)
		return fault(fault_out, "cannot add %s to lo: %s", text,
			     strerror(-rc));
	printf("lo: VIP %s added\n", text);
	return 0;
}

int change_mount(struct kernel *kernel, struct fault *fault_out)
{
	if (!kernel->mounted)
		return 0;
	return change_note(kernel, "mount", "/sys/fs/bpf", "", fault_out);
}

static void change_undo(struct kernel *kernel, const struct change *change)
{
	char now[64] = "";
	struct addr vip;
	int rc = 0;

	if (!strcmp(change->kind, "mount")) {
		kernel->mounted = true; /* kernel_remove() unmounts it */
	} else if (!strcmp(change->kind, "address")) {
		rc = addr_parse(change->what, &vip)
			     ?: address_on_lo(&vip, false);
		printf("lo: VIP %s removed\n", change->what);
	} else if (!sysctl_read(change->what, now, sizeof(now)) &&
		   strcmp(now, change->before)) {
		rc = sysctl_write(change->what, change->before);
		printf("sysctl %s: %s -> %s\n", change->what, now,
		       change->before);
	}
	if (rc && rc != -EADDRNOTAVAIL)
		fprintf(stderr, "%s: cannot put back %s %s: %s\n",
			kernel->role->name, change->kind, change->what,
			strerror(rc < -1 ? -rc : errno));
}

void changes_undo(struct kernel *kernel)
{
	int map = kernel_map(kernel, "changes");
	struct change change;
	__u32 count = 0;

	if (map < 0)
		return;
	while (change_at(map, count, &change))
		count++;
	while (count-- > 0) {
		if (change_at(map, count, &change))
			change_undo(kernel, &change);
	}
	close(map);
}
