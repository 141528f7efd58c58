/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * removing.bpf.h - flows whose service is no longer the one of their port
 *
 * A packet may belong to two services: that of its port, and that of any port.
 * New flows belong to the first. But a flow that has begun stays with its own
 * service: one that was removed from the file, while its backends drain; or
 * that of any port, if the port has got a service of its own since. Such a flow
 * is known from the flow table and, during the grace, from the previous
 * generation's table.
 *
 * Packets whose service is in the file and knows their flow do not come here.
 */
#pragma once

#include "LoadBalancer/datapath/select.bpf.h"
#include "common/core/verifier.h"

/* Does the packet's flow belong to l->service, and still exist? */
INLINE bool is_flow_of(const struct decision *d, struct lookup *l)
{
	struct flow *flow = flow_lookup(d->hash);

	if (flow && !select_expired(&d->packet, flow->seen, (__u32)d->now,
				    l->generation->udp_idle)) {
		l->backend = backend_of(d->generation_index,
					flow->backend & FLOW_BACKEND);
		if (l->backend && l->backend->service == l->service->id) {
			if (begun_elsewhere(d, l))
				return false;
			if (follows(d, l))
				return true;
		}
	}
	return !(d->packet.flags & PACKET_SYN) && backend_before(d, l);
}

/* The same for an entry; sets d->hash for its service. */
INLINE bool entry_has(struct decision *d, struct lookup *l,
		      const struct service_cell *entry)
{
	__be16 source_port = d->packet.source_port, port = d->packet.port;
	__u8 protocol = d->packet.protocol;
	bool has;

	l->service = &entry->service;
	forget_ports(&d->packet, entry);
	has = name_flow(d) && is_flow_of(d, l);
	d->packet.source_port = source_port;
	d->packet.port = port;
	d->packet.protocol = protocol;
	return has;
}

/* The service of any port; NULL: it is the packet's own, or there is none. */
INLINE struct service_cell *find_any(struct decision *d, const struct lookup *l)
{
	struct service_table table = service_table_of(
		d->generation_index, l->generation, &d->packet);
	struct service_cell *entry = NULL;

	if (d->packet.port)
		entry = service_table_find(&table, &d->packet, 0,
					   d->packet.protocol);
	if (!entry ||
	    removing_is_over(d->generation_index, entry->service.removing))
		return NULL;
	d->cell = table.cell;
	return entry;
}

int service_removing(void)
{
	struct handed *h = handed();
	struct decision *d = &h->decision;
	struct lookup lookup = {}, *l = &lookup;
	struct service_cell *entry;
	struct service_table table;

	if (!h || !generation_of(d, l))
		return 0;
	entry = service_cell(d);
	if (!entry)
		return 0;
	d->now = bpf_jiffies64();
	if (!removing_is_over(d->generation_index, entry->service.removing) &&
	    entry_has(d, l, entry))
		return 1;
	entry = find_any(d, l);
	if (entry && (!entry->service.removing || entry_has(d, l, entry)))
		return 1;
	table = service_table_of(d->generation_index, l->generation,
				 &d->packet);
	d->for_vip = find_mark(&table, &d->packet);
	return 0;
}

/* Does a backend restore both methods' packets in the same way? */
INLINE bool are_alike(const struct method *a, const struct method *b)
{
	return a->forward != b->forward || a->dscp != b->dscp ||
	       a->checksum == b->checksum;
}

/*
 * For the decision in `scratch`, whose service does not know its flow: the flow
 * may belong to the service of any port, which then becomes its service. Writes
 * that service to `cell`, and the remembered backend. Verified on its own.
 */
SEPARATE int select_older(void)
{
	struct handed *h = handed();
	struct decision *d = &h->decision;
	struct lookup lookup = {}, *l = &lookup;
	const struct service_cell *own, *any;
	struct flow *flow;
	__u32 cell;
	__u64 hash;

	if (!h || !generation_of(d, l))
		return 0;
	if (d->packet.flags & PACKET_SYN ||
	    (d->selected_by != SELECTED_ANEW &&
	     d->now >= l->generation->grace_until))
		return 0;
	cell = d->cell;
	hash = d->hash;
	own = service_cell(d);
	any = find_any(d, l);
	if (own && any && any != own &&
	    are_alike(&any->service.method, &own->service.method) &&
	    entry_has(d, l, any)) {
		flow = flow_lookup(d->hash);
		if (flow && select_known(d, l, flow))
			h->backend_id = l->backend->id;
		return 1;
	}
	d->cell = cell;
	d->hash = hash;
	return 0;
}
