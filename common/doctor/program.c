// SPDX-License-Identifier: GPL-2.0-only
/*
 * program.c - the kernel, the file, and the program where it is attached
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/base/address.h"
#include "common/cli/cli.h"
#include "common/cli/report.h"
#include "common/config/write.h"
#include "common/core/abi_packets.h"
#include "common/core/abi_services.h"
#include "common/core/reason.h"
#include "common/doctor/doctor.h"
#include "common/host/interfaces.h"
#include "common/host/vlans.h"
#include "common/kernel/generation.h"
#include "common/net/device.h"
#include "common/net/neighbours.h"

void look_kernel(struct doctor *doctor)
{
	struct utsname host = {0};
	int major = 0, minor = 0;
	struct fault said;

	uname(&host);
	sscanf(host.release, "%d.%d", &major, &minor);
	if (major < 5 || (major == 5 && minor < 10)) {
		report(doctor, HEALTH_FAIL,
		       "Linux %s: the program is known to load from 5.10 on",
		       host.release);
		mend(doctor, "uname -r: boot Linux 5.10 or later");
	}
	if (!kernel_can_trace()) {
		report(doctor, HEALTH_WARN, "Linux %s: no trace before 5.16",
		       host.release);
		mend(doctor, "uname -r: boot Linux 5.16 or later");
	}
	if (!kernel_can_frags()) {
		report(doctor, HEALTH_WARN,
		       "Linux %s: no jumbo frames in native mode before 5.18",
		       host.release);
		mend(doctor, "uname -r: boot Linux 5.18 or later");
	}
	if (neighbours_possible(&said)) {
		report(doctor, HEALTH_WARN, "Linux %s: %s", host.release,
		       said.cause);
		mend(doctor, "uname -r: boot Linux 5.16 or later");
	}
	if (!doctor->said)
		report(doctor, HEALTH_OK,
		       "Linux %s: trace, jumbo frames, managed neighbours",
		       host.release);
}

void look_file(struct doctor *doctor)
{
	if (doctor->has_file) {
		report(doctor, HEALTH_OK, "%s: %zu service%s, valid",
		       doctor->path, doctor->config.service_count,
		       doctor->config.service_count == 1 ? "" : "s");
		return;
	}
	report(doctor, HEALTH_FAIL, "%s", doctor->refused);
	mend(doctor, "%s check %s", doctor->kernel.role->name, doctor->path);
}

/* The id of a bpf_link that holds `program` there, or 0. */
static __u32 holder_of(int ifindex, __u32 program)
{
	struct bpf_link_info info;
	__u32 id = 0, length;
	int fd, rc;

	while (!bpf_link_get_next_id(id, &id)) {
		fd = bpf_link_get_fd_by_id(id);
		if (fd < 0)
			continue;
		memset(&info, 0, sizeof(info));
		length = sizeof(info);
		rc = bpf_obj_get_info_by_fd(fd, &info, &length);
		close(fd);
		if (!rc && info.type == BPF_LINK_TYPE_XDP &&
		    info.prog_id == program &&
		    info.xdp.ifindex == (__u32)ifindex)
			return id;
	}
	return 0;
}

static void other(struct doctor *doctor, const char *name, int ifindex,
		  __u32 id, const char *mode)
{
	__u32 length = sizeof(struct bpf_prog_info), holder;
	struct bpf_prog_info info = {0};
	int fd = bpf_prog_get_fd_by_id(id);

	if (fd >= 0) {
		bpf_obj_get_info_by_fd(fd, &info, &length);
		close(fd);
	}
	holder = holder_of(ifindex, id);
	report(doctor, HEALTH_FAIL,
	       "%s: another XDP program is there: %s, id %u, of uid %u", name,
	       info.name, id, info.created_by_uid);
	if (holder)
		mend(doctor, "bpftool link detach id %u", holder);
	else
		mend(doctor, "ip link set dev %s %s off", name, mode);
}

static bool is_ours(const struct doctor *doctor, int ifindex, __u32 id)
{
	const struct kernel *kernel = &doctor->kernel;
	int i;

	for (i = 0; i < kernel->attachment_count; i++) {
		if (kernel->attachments[i].ifindex == ifindex &&
		    kernel->attachments[i].id == id)
			return true;
	}
	return false;
}

void look_others(struct doctor *doctor)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	const char *const *name;
	const struct link *link;
	const struct {
		const __u32 *id;
		const char *mode;
	} modes[] = {{&query.skb_prog_id, "xdpgeneric"},
		     {&query.drv_prog_id, "xdpdrv"},
		     {&query.hw_prog_id, "xdpoffload"}};
	size_t i;

	for (name = doctor->names; *name; name++) {
		link = doctor_link(doctor, *name);
		if (!link) {
			report(doctor, HEALTH_FAIL, "%s: no such interface",
			       *name);
			mend(doctor, "ip -br link; then %s up -i NAME -c %s",
			     doctor->kernel.role->name, doctor->path);
			continue;
		}
		if (bpf_xdp_query(link->ifindex, 0, &query))
			continue;
		for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
			if (*modes[i].id &&
			    !is_ours(doctor, link->ifindex, *modes[i].id))
				other(doctor, *name, link->ifindex,
				      *modes[i].id, modes[i].mode);
		}
	}
	if (!doctor->said)
		report(doctor, HEALTH_OK, "%s: no other XDP program",
		       doctor->names[0]);
}

void look_program(struct doctor *doctor)
{
	const struct kernel *kernel = &doctor->kernel;
	const struct role *role = kernel->role;
	int i;

	if (*doctor->attached.cause) {
		report(doctor, HEALTH_FAIL, "%s", doctor->attached.cause);
		mend(doctor, "%s", doctor->attached.hint);
		return;
	}
	if (!doctor->is_up && !kernel->gone_count) {
		report(doctor, HEALTH_FAIL, "%s is attached to no interface",
		       role->program);
		mend(doctor, "%s up -i %s -c %s", role->name, doctor->names[0],
		     doctor->path);
		return;
	}
	for (i = 0; i < kernel->attachment_count; i++)
		report(doctor, HEALTH_OK, "%s: %s, id %u",
		       kernel->attachments[i].name, role->program,
		       kernel->attachments[i].id);
	for (i = 0; i < kernel->gone_count; i++) {
		report(doctor, HEALTH_FAIL,
		       "%s: the interface was removed, or %s from it",
		       kernel->gone[i].name, role->program);
		mend(doctor, "%s up, once it is there again; %s down -i %s",
		     role->name, role->name, kernel->gone[i].name);
	}
}

static bool is_veth(const struct doctor *doctor, const char *name)
{
	const struct link *link = doctor_link(doctor, name);

	return link && !strcmp(link->kind, "veth");
}

void look_mode(struct doctor *doctor)
{
	const struct kernel *kernel = &doctor->kernel;
	const char *why;
	int i;

	for (i = 0; i < kernel->attachment_count; i++) {
		const struct attachment *on = &kernel->attachments[i];
		bool veth = is_veth(doctor, on->name);

		if (on->mode == MODE_NATIVE)
			why = veth ? "asked for; auto would be generic on veth"
				   : "the driver takes it";
		else
			why = veth ? "auto is generic on veth"
				   : "the driver does not take native, or "
				     "generic was asked for";
		report(doctor, HEALTH_OK, "%s: %s (%s)", on->name,
		       on->mode == MODE_NATIVE ? "native" : "generic", why);
	}
}

/*
 * A command about the other end of a veth pair, to be run where that is. Its
 * index is known here, its name is not.
 */
static void mend_there(struct doctor *doctor, const char *name,
		       const char *command, const char *then)
{
	mend(doctor,
	     "%s $(ip -o link | sed -n 's/^%d: \\([^@:]*\\).*/\\1/p') %s",
	     command, doctor_link(doctor, name)->lower, then);
}

void look_link(struct doctor *doctor)
{
	const char *const *name;
	bool is_up;

	for (name = doctor->names; *name; name++) {
		if (device_runs(*name, &is_up)) {
			report(doctor, HEALTH_OK, "%s: up, MTU %d", *name,
			       device_mtu(*name));
		} else if (is_up) {
			report(doctor, HEALTH_FAIL,
			       "%s: up, but no carrier; at the other end of "
			       "its wire:",
			       *name);
			if (is_veth(doctor, *name))
				mend_there(doctor, *name, "ip link set dev",
					   "up");
			else
				mend(doctor, "ip link set dev PORT up");
		} else {
			report(doctor, HEALTH_FAIL, "%s: down", *name);
			mend(doctor, "ip link set dev %s up", *name);
		}
	}
}

/* The other end cannot be seen from another network namespace. */
void look_veth(struct doctor *doctor)
{
	const struct kernel *kernel = &doctor->kernel;
	int i;

	for (i = 0; i < kernel->attachment_count; i++) {
		const struct attachment *on = &kernel->attachments[i];

		if (on->mode != MODE_NATIVE || !is_veth(doctor, on->name))
			continue;
		report(doctor, HEALTH_UNKNOWN,
		       "%s: its other end needs an XDP program (XDP_PASS will "
		       "do) and no checksum offload; there:",
		       on->name);
		mend_there(doctor, on->name, "ethtool -K", "tx off");
	}
	if (!doctor->said)
		report(doctor, HEALTH_OK, "%s: not native mode on veth",
		       doctor->names[0]);
}

void look_merging(struct doctor *doctor)
{
	const char *const *name;

	for (name = doctor->names; *name; name++) {
		if (!(device_flags(*name) & ETH_FLAG_LRO))
			continue;
		report(doctor, HEALTH_FAIL,
		       "%s: merges packets before XDP sees them (LRO)", *name);
		mend(doctor, "ethtool -K %s lro off", *name);
	}
	if (!doctor->said)
		report(doctor, HEALTH_OK, "%s: no LRO", doctor->names[0]);
}

static void vlan_fault(void *data, const struct fault *fault)
{
	report(data, HEALTH_FAIL, "%s", fault->cause);
	mend(data, "%s", fault->hint);
}

void look_vlans(struct doctor *doctor)
{
	vlans_faults(&doctor->kernel, vlan_fault, doctor);
	if (!doctor->said)
		report(doctor, HEALTH_OK, "no VLAN tag is lost before XDP");
}

void look_macs(struct doctor *doctor)
{
	const struct role *role = doctor->kernel.role;
	struct interface missing;
	struct fault said;
	char text[18];
	const struct config *config =
		doctor->has_file && role->in == IN_LBR ? &doctor->config : NULL;
	int rc = interfaces_lack(&doctor->kernel, config, &missing, &said);

	if (!rc) {
		report(doctor, HEALTH_OK, "every MAC address is in the list");
	} else if (rc < 0) {
		report(doctor, HEALTH_UNKNOWN, "%s", said.cause);
	} else if (rc == INTERFACES_SOURCE) {
		report(doctor, HEALTH_FAIL,
		       "%s: its addresses have changed since xdp_lbr was told "
		       "what to send from",
		       missing.name);
		mend(doctor, "%s apply %s", role->name, doctor->path);
	} else {
		report(doctor, HEALTH_FAIL,
		       "%s: frames for %s are passed by: not in the list",
		       missing.name, mac_text(missing.mac, text));
		mend(doctor, "%s up -c %s", role->name, doctor->path);
	}
}

bool look_digest(struct doctor *doctor)
{
	const struct kernel *kernel = &doctor->kernel;
	struct generation running = {0};
	char is[DIGEST_TEXT], was[DIGEST_TEXT];

	generation_read(kernel, generation_current(kernel), &running);
	if (!memcmp(running.digest, doctor->config.digest,
		    sizeof(running.digest)))
		return false;
	report(doctor, HEALTH_WARN, "%s is %s, and what runs was built from %s",
	       doctor->path, digest_text(doctor->config.digest, is),
	       digest_text(running.digest, was));
	mend(doctor, "%s apply %s", kernel->role->name, doctor->path);
	return true;
}

void look_trace(struct doctor *doctor)
{
	__u32 mode = trace_get(&doctor->kernel);

	report(doctor, mode == TRACE_ALL ? HEALTH_WARN : HEALTH_OK, "trace %s",
	       trace_name(mode));
	if (mode == TRACE_ALL)
		mend(doctor, "%s trace new", doctor->kernel.role->name);
}
