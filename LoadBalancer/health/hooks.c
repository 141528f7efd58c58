// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/health/hooks.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const struct timeval patience = {HOOK_TIME, 0};

static int by_key(const void *a, const void *b)
{
	const struct hooked *x = a, *y = b;

	return memcmp(&x->key, &y->key, sizeof(x->key));
}

static struct hooked *hooked_find(const struct hooks *hooks,
				  const struct service_key *key)
{
	struct hooked wanted = {.key = *key};

	return hooks->count ? bsearch(&wanted, hooks->services, hooks->count,
				      sizeof(wanted), by_key)
			    : NULL;
}

/* Starts as many as there are slots. */
static void begin(struct hooks *hooks)
{
	struct hook_slot *slot = hooks->slots;
	struct fault said = {0};
	struct hooked *service;
	size_t i;

	for (i = 0; *hooks->program && i < hooks->count; i++) {
		service = &hooks->services[i];
		if (service->is_told || service->is_running)
			continue;
		while (slot < hooks->slots + HOOKS && slot->pid)
			slot++;
		if (slot == hooks->slots + HOOKS)
			return;
		/* Once, also if it fails: it is not known what it did. */
		service->is_told = true;
		slot->pid = hook_start(hooks->program, &service->wanted, &said);
		if (slot->pid < 0) {
			slot->pid = 0;
			fault_warn(&said);
			continue;
		}
		slot->key = service->key;
		service->is_running = true;
		event_add(slot->late, &patience);
	}
}

static void ended(struct hooks *hooks, struct hook_slot *slot,
		  const struct fault *said)
{
	struct hooked *service = hooked_find(hooks, &slot->key);

	if (*said->cause)
		fault_warn(said);
	event_del(slot->late);
	slot->pid = 0;
	if (service)
		service->is_running = false;
}

static void child(evutil_socket_t signal, short what, void *data)
{
	struct hooks *hooks = data;
	struct hook_slot *slot;
	struct fault said;

	(void)signal;
	(void)what;
	for (slot = hooks->slots; slot < hooks->slots + HOOKS; slot++) {
		if (slot->pid &&
		    hook_has_ended(slot->pid, hooks->program, &said))
			ended(hooks, slot, &said);
	}
	begin(hooks);
}

static void late(evutil_socket_t fd, short what, void *data)
{
	struct hook_slot *slot = data;
	struct fault said = {0};

	(void)fd;
	(void)what;
	hook_end(slot->pid);
	fault(&said, "%s was ended: it took more than %d s",
	      slot->hooks->program, HOOK_TIME);
	ended(slot->hooks, slot, &said);
	begin(slot->hooks);
}

int hooks_start(struct hooks *hooks, struct event_base *base)
{
	struct hook_slot *slot;

	for (slot = hooks->slots; slot < hooks->slots + HOOKS; slot++) {
		slot->hooks = hooks;
		slot->late = evtimer_new(base, late, slot);
		if (!slot->late)
			return -1;
	}
	hooks->child = evsignal_new(base, SIGCHLD, child, hooks);
	return hooks->child ? event_add(hooks->child, NULL) : -1;
}

void hooks_stop(struct hooks *hooks)
{
	struct hook_slot *slot;

	for (slot = hooks->slots; slot < hooks->slots + HOOKS; slot++) {
		if (slot->pid)
			hook_end(slot->pid);
		if (slot->late)
			event_free(slot->late);
	}
	if (hooks->child)
		event_free(hooks->child);
	free(hooks->services);
	memset(hooks, 0, sizeof(*hooks));
}

void hooks_follow(struct hooks *hooks, const char *program,
		  struct hooked *services, size_t count)
{
	bool is_other = strcmp(hooks->program, program);
	const struct hooked *old;
	size_t i;

	for (i = 0; i < count; i++) {
		old = hooked_find(hooks, &services[i].key);
		services[i].is_running = old && old->is_running;
		services[i].is_told =
			old && old->is_told && !is_other &&
			old->wanted.state == services[i].wanted.state;
	}
	free(hooks->services);
	hooks->services = services;
	hooks->count = count;
	memcpy(hooks->program, program, strlen(program) + 1);
	begin(hooks);
}
