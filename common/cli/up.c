// SPDX-License-Identifier: GPL-2.0-only
/*
 * up.c - load, attach and pin; or replace what runs, under traffic
 *
 * In this order, so that a refusal at any point leaves what ran as it was: the
 * file, the program (loaded beside the one that runs), the interfaces, the
 * generation (built aside); then, when little can still fail, the host's
 * settings, the attachments, and the control value that switches.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/address.h"
#include "common/cli/cli.h"
#include "common/host/change.h"
#include "common/host/interfaces.h"
#include "common/host/vlans.h"
#include "common/kernel/generation.h"
#include "common/kernel/kernel.h"
#include "common/kernel/takeover.h"
#include "common/net/netlink.h"

struct up {
	struct kernel kernel;
	struct kernel before; /* see takeover.h */
	bool noted, attached; /* how much has to be undone */
	struct config config;
	enum mode mode;
	enum trace trace;
	bool set_trace; /* else it stays as it is */
	int index;
};

static const char *mode_name(enum mode mode)
{
	return mode == MODE_NATIVE ? "native" : "generic";
}

static enum mode mode_parse(const char *text)
{
	if (!text || !strcmp(text, "auto"))
		return MODE_AUTO;
	return strcmp(text, "native") ? MODE_GENERIC : MODE_NATIVE;
}

/* Another mode needs another link, which the build before would not know. */
static int modes_kept(const struct up *up, struct fault *fault_out)
{
	const struct attachment *each = up->kernel.attachments;
	int i;

	for (i = 0; i < up->kernel.attachment_count; i++, each++) {
		if (!each->is_before || each->mode == each->old_mode)
			continue;
		fault(fault_out,
		      "cannot change the mode of %s and take it over at once",
		      each->name);
		return fault_hint(fault_out,
				  "%s up --drop-flows, then %s up "
				  "-m %s",
				  up->kernel.role->name, up->kernel.role->name,
				  mode_name(each->mode));
	}
	return 0;
}

/* What is up stays up; a second `up` need not name it again. */
static int choose_again(struct up *up, struct fault *fault_out)
{
	struct kernel *kernel = &up->kernel;
	int i, count = kernel->attachment_count;

	for (i = 0; i < count; i++) {
		if (kernel_choose(kernel, kernel->attachments[i].name, up->mode,
				  fault_out))
			return -1;
	}
	if (kernel_choose_again(kernel, up->mode, fault_out) < 0)
		return -1;
	return kernel->attachment_count ? 0
					: kernel_attached(kernel, fault_out);
}

/* Everything that can be refused without changing anything. */
static int up_prepare(struct up *up, const struct names *interfaces,
		      struct fault *fault_out)
{
	static char *const by_default[] = {DEFAULT_INTERFACE, NULL};
	char *const *name = interfaces->count ? interfaces->name : by_default;
	struct kernel *kernel = &up->kernel;

	if (kernel_attachments(kernel, fault_out) ||
	    (takeover_is(&up->before) &&
	     takeover_attachments(kernel, &up->before, fault_out)))
		return -1;
	if (interfaces->count ||
	    !(kernel->attachment_count + kernel->gone_count)) {
		for (; *name; name++) {
			if (kernel_choose(kernel, *name, up->mode, fault_out))
				return -1;
		}
	} else if (choose_again(up, fault_out)) {
		return -1;
	}
	if (modes_kept(up, fault_out) ||
	    kernel_load(kernel, &up->config, fault_out))
		return -1;
	up->index = generation_build(kernel, &up->config, fault_out);
	return up->index < 0 ? -1 : 0;
}

static int addresses_note(struct kernel *kernel, struct fault *fault_out)
{
	int i, rc = 0;

	for (i = 0; i < kernel->address_count && !rc; i++)
		rc = change_address(kernel, &kernel->addresses[i], fault_out);
	return rc;
}

/* Packets use the new generation. */
static int up_switch(struct up *up, struct fault *fault_out)
{
	return interfaces_write(&up->kernel, &up->config, fault_out)
		       ?: generation_switch(&up->kernel, (__u32)up->index,
					    fault_out);
}

/* What must be there before packets meet the new program. */
static int up_host(struct up *up, struct fault *fault_out)
{
	struct kernel *kernel = &up->kernel;
	const char *names[MAX_INTERFACES + 1] = {NULL};
	struct vlan_device *vlans = NULL;
	int i, rc;

	for (i = 0; i < kernel->attachment_count; i++)
		names[i] = kernel->attachments[i].name;
	rc = vlan_names(kernel, names, &vlans, fault_out)
		     ?: kernel_pin(kernel, false, fault_out);
	if (!rc && takeover_is(&up->before)) {
		rc = takeover_changes(&up->before, kernel, fault_out);
		up->noted = !rc;
	}
	rc = rc ?: addresses_note(kernel, fault_out);
	rc = rc ?: kernel->role->host(kernel, &up->config, names, fault_out);
	free(vlans);
	return rc;
}

static int carry(struct kernel *kernel, enum carry_stage stage,
		 struct fault *fault_out)
{
	if (!kernel->role->carry_over)
		return 0;
	return kernel->role->carry_over(kernel, stage, fault_out);
}

static int up_change(struct up *up, struct fault *fault_out)
{
	struct kernel *kernel = &up->kernel;

	if (up_host(up, fault_out) ||
	    interfaces_write(kernel, &up->config, fault_out))
		return -1;
	/* New maps have no generation yet, and packets are on their way. */
	if (!kernel->was_up && up_switch(up, fault_out))
		return -1;
	if (carry(kernel, CARRY_ATTACHING, fault_out) ||
	    kernel_attach(kernel, fault_out))
		return -1;
	up->attached = true;
	if (carry(kernel, CARRY_ATTACHED, fault_out))
		return -1;
	if (kernel->was_up)
		kernel->role->diff(kernel, generation_current(kernel),
				   (__u32)up->index, &up->config, stdout);
	/* Only now is the mode known that `auto` has chosen. */
	if (kernel_pin(kernel, true, fault_out) ||
	    interfaces_write(kernel, &up->config, fault_out) ||
	    (kernel->was_up && up_switch(up, fault_out)))
		return -1;
	if (kernel->role->settle)
		kernel->role->settle(kernel, &up->config);
	if (up->set_trace && trace_set(kernel, up->trace))
		return fault(fault_out, "cannot set the trace: %s",
			     strerror(errno));
	return 0;
}

static void up_report(const struct up *up)
{
	const struct kernel *kernel = &up->kernel;
	int i;

	for (i = 0; i < kernel->attachment_count; i++) {
		const struct attachment *on = &kernel->attachments[i];

		printf("%s: %s attached, %s (%s)\n", on->name,
		       kernel->role->program, mode_name(on->mode), on->why);
	}
	for (i = 0; i < kernel->gone_count; i++)
		printf("%s: not attached, it was removed (%s down -i %s: for "
		       "good)\n",
		       kernel->gone[i].name, kernel->role->name,
		       kernel->gone[i].name);
	vlans_warn(kernel);
	printf("%s: %zu service%s\n", up->config.path, up->config.service_count,
	       up->config.service_count == 1 ? "" : "s");
	if (kernel->role->notes)
		kernel->role->notes(&up->config, stdout);
}

/* A first `up` that failed leaves nothing. */
static void up_take_back(struct up *up)
{
	struct fault said;

	if (up->kernel.was_up)
		return;
	if (takeover_is(&up->before)) {
		/*
		 * The build before gets everything back, also the notes of
		 * what is to be undone.
		 */
		if (up->noted &&
		    takeover_changes(&up->kernel, &up->before, &said))
			fault_warn(&said);
		if (up->attached)
			kernel_attach_undo(&up->kernel);
		if (kernel_remove(&up->kernel, &said))
			fault_warn(&said);
		return;
	}
	kernel_detach(&up->kernel);
	if (changes_undo(&up->kernel, &said) ||
	    kernel_remove(&up->kernel, &said))
		fault_warn(&said);
}

/* The addresses of -a, and those of the `up` before. */
static int addresses_named(struct up *up, const struct names *named,
			   struct fault *fault_out)
{
	struct kernel *kernel = &up->kernel;
	const struct kernel *noted =
		takeover_is(&up->before) ? &up->before : kernel;
	int i, count = change_addresses(noted, kernel->addresses, MAX_OWN);

	for (i = 0; i < named->count; i++) {
		if (count == MAX_OWN ||
		    addr_parse(named->name[i], &kernel->addresses[count]))
			return fault(fault_out, "cannot use address '%s': %s",
				     named->name[i],
				     count == MAX_OWN
					     ? "too many are named"
					     : "it is neither IPv4 nor IPv6");
		count++;
	}
	kernel->address_count = count;
	return 0;
}

/* The trace goes on as it was, unless the command line says otherwise. */
static void trace_before(struct up *up)
{
	__u32 trace = takeover_control(&up->before, CONTROL_TRACE) & TRACE_MODE;

	if (up->set_trace || trace > TRACE_ALL)
		return;
	up->trace = (enum trace)trace;
	up->set_trace = true;
}

/*
 * Of an `up` that was killed before it attached anything, nothing runs: what it
 * copied of the flows is out of date. One that was killed when all was done but
 * for the pins of the build before is ended here.
 */
static int takeover_begin(struct up *up, struct fault *fault_out)
{
	struct kernel *kernel = &up->kernel;
	bool is_attached;

	if (!takeover_is(&up->before))
		return 0;
	if (kernel_attachments(kernel, fault_out))
		return -1;
	is_attached = kernel->attachment_count + kernel->gone_count;
	if (is_attached && takeover_is_over(&up->before))
		return takeover_end(&up->before, fault_out);
	if (takeover_readable(&up->before, fault_out))
		return -1;
	if (!kernel->drop_flows) {
		kernel->before = &up->before;
		trace_before(up);
	}
	return is_attached ? 0 : kernel_begin_anew(kernel, fault_out);
}

/*
 * A ^C, or the end of a session, waits until all is done: an `up` that ends in
 * the middle of a takeover keeps the build before from being used.
 */
static void signals_hold(sigset_t *before)
{
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	sigprocmask(SIG_BLOCK, &held, before);
}

static void signals_free(const sigset_t *before)
{
	fflush(stdout);
	sigprocmask(SIG_SETMASK, before, NULL);
}

static int up_run(struct up *up, const struct role *role,
		  const struct options *options, struct fault *fault_out)
{
	struct kernel *kernel = &up->kernel;
	sigset_t signals;
	int rc;

	if (kernel_open(kernel, role,
			options->drop_flows ? ACCESS_TAKE_OVER : ACCESS_CREATE,
			fault_out)) {
		kernel_close(kernel);
		return -1;
	}
	kernel->at_once = options->now;
	kernel->drop_flows = options->drop_flows;
	rc = takeover_open(kernel, &up->before, fault_out);
	signals_hold(&signals);
	rc = rc ?: takeover_begin(up, fault_out);
	rc = rc ?: addresses_named(up, &options->addresses, fault_out);
	if (!rc && !kernel->was_up)
		rc = role->concerns(kernel, &up->config, fault_out);
	rc = rc ?: up_prepare(up, &options->interfaces, fault_out);
	rc = rc ?: up_change(up, fault_out);
	if (rc) {
		up_take_back(up);
	} else {
		up_report(up);
		if (takeover_is(&up->before) &&
		    takeover_end(&up->before, fault_out))
			fault_warn(fault_out);
	}
	kernel_close(&up->before);
	kernel_close(kernel);
	signals_free(&signals);
	return rc;
}

int verb_up(const struct role *role, const struct options *options)
{
	struct up up = {
		.mode = mode_parse(options->mode),
		.trace = trace_parse(options->trace),
		.set_trace = options->trace != NULL,
	};
	const char *path = options->config ?: DEFAULT_CONFIG;
	struct fault fault_is = {0};
	int rc;

	if (trace_possible(up.trace, &fault_is)) {
		fault_warn(&fault_is);
		up.set_trace = false;
	}
	if (config_read(path, &up.config, fault_is.cause,
			sizeof(fault_is.cause), stderr)) {
		fault_hint(&fault_is, "%s check %s", role->name, path);
		return cli_failed(role, &fault_is);
	}
	rc = up_run(&up, role, options, &fault_is);
	config_free(&up.config);
	return rc ? cli_failed(role, &fault_is) : EXIT_DONE;
}
