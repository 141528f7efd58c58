/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * deputy.bpf.h - services that forget their flows (`flows: second-chance`)
 *
 * The table alone says where a packet goes, and the backends find flows at each
 * other while the pool changes. Only in a slot that a verdict has taken from
 * its owner, or a human, flows have to be remembered: new ones go to a deputy,
 * the owner's own stay with it. See LoadBalancer/generation/deputies.c.
 */
#pragma once

#include "LoadBalancer/datapath/backends.bpf.h"
#include "common/core/schedule.h"
#include "common/core/select.h"

/* The owner by the file of the flow's slot; NULL: it is that of the table. */
INLINE struct backend *owner_of(const struct decision *d,
				const struct service *service)
{
	__u32 table = TABLE_SLOTS(service->table_size);

	if (!service->owners)
		return NULL;
	return backend_in_slot(
		d->generation_index,
		slot_at(service, table + slot_number(service, d)));
}

/* By the table, with nothing looked up or kept. */
INLINE bool select_straight(struct decision *d, struct lookup *l)
{
	int slot;

	if (!l->service->forgets)
		return false;
	/* It names the flow only for the choice of a next hop. */
	d->hash = hash_packet(&d->packet);
	slot = slot_of(l->service, d);
	if (slot < 0 || slot & SLOT_MOVED)
		return false;
	l->backend = backend_in_slot(d->generation_index, slot);
	return l->backend;
}
