/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * service.bpf.h - which service a packet is for, and whether it is for a VIP
 */
#pragma once

#include "LoadBalancer/datapath/maps.bpf.h"
#include "common/bpf/exit.h"
#include "common/core/service_table.h"
#include "common/core/verifier.h"

/* The generation that the packet uses; its index in d->generation_index. */
INLINE bool generation_of(const struct decision *d, struct lookup *l)
{
	l->generation = bpf_map_lookup_elem(&generations, &d->generation_index);
	return l->generation;
}

/* The value is read once, here: a packet uses one generation to its end. */
INLINE bool find_generation(struct decision *d, struct lookup *l)
{
	d->generation_index = generation_index();
	return generation_of(d, l);
}

/* A generation's table of services, and what all lookups share. */
struct service_table {
	struct service_cells *cells; /* NULL: it is no VIP */
	__u64 vip;
	__u32 seed;
	__u32 cell; /* of the entry found last */
};

INLINE struct service_table
service_table_of(__u32 index, const struct generation *generation,
		 const struct packet *packet)
{
	struct service_table table = {NULL,
				      hash_destination(&packet->destination),
				      generation->services_seed, 0};

	if (service_table_may_have(generation->vips, table.vip))
		table.cells = bpf_map_lookup_elem(&services, &index);
	return table;
}

/* An entry with the packet's destination, in one of its two cells. */
INLINE struct service_cell *service_table_find(struct service_table *table,
					       const struct packet *packet,
					       __be16 port, __u8 protocol)
{
	const struct addr *vip = &packet->destination;
	__u64 hash =
		service_table_hash(table->vip, port, protocol, table->seed);
	struct service_cell *entry;

	if (!table->cells)
		return NULL;
	table->cell = service_table_first(hash);
	entry = &table->cells->at[table->cell];
	if (service_table_is(entry, vip, port, protocol))
		return entry;
	table->cell = service_table_second(hash);
	entry = &table->cells->at[table->cell];
	return service_table_is(entry, vip, port, protocol) ? entry : NULL;
}

/*
 * Has the time of a removed service or backend run out? `removing`: as in
 * struct service; 0: it is in the file. Verified on its own.
 */
SEPARATE int removing_is_over(__u32 generation, __u32 removing)
{
	struct backend_rows *rows = bpf_map_lookup_elem(&backends, &generation);

	if (!removing)
		return 0;
	return !rows ||
	       bpf_jiffies64() >= rows->until[(removing - 1) % BACKEND_INDEXES];
}

/* As decision.for_vip: its time may have run out, see refuse(). */
INLINE __u16 find_mark(struct service_table *table, const struct packet *packet)
{
	const struct service_cell *entry =
		service_table_find(table, packet, 0, 0);

	return entry ? 1 + entry->service.removing : 0;
}

INLINE bool is_vip(struct service_table *table, const struct packet *packet,
		   __u32 index)
{
	__u16 mark = find_mark(table, packet);

	return mark && !removing_is_over(index, mark - 1);
}

/*
 * The packet's service: of its port, else of any port. NULL if there is none;
 * *for_vip says whether it is for a VIP.
 */
INLINE struct service_cell *service_of(struct service_table *table,
				       const struct packet *packet,
				       __u16 *for_vip)
{
	struct service_cell *entry = NULL;

	/* Protocol 0 and port 0 are the mark of a VIP. */
	if (packet->protocol)
		entry = service_table_find(table, packet, packet->port,
					   packet->protocol);
	*for_vip = entry ? 1 : find_mark(table, packet);
	if (!entry && *for_vip && packet->port)
		entry = service_table_find(table, packet, 0, packet->protocol);
	return entry;
}

/*
 * If ports do not matter, a packet is treated as a fragment whose ports are not
 * known. No `if`: the verifier would follow both branches.
 */
INLINE void forget_ports(struct packet *packet,
			 const struct service_cell *entry)
{
	packet->source_port &= (FORCE __be16)entry->port_mask;
	packet->port &= (FORCE __be16)entry->port_mask;
	packet->protocol = entry->protocol;
}

/* The service of a decision that was passed in `scratch`. */
INLINE struct service_cell *service_cell(const struct decision *d)
{
	struct service_cells *cells =
		bpf_map_lookup_elem(&services, &d->generation_index);

	return cells ? &cells->at[WITHIN(d->cell, SERVICE_CELLS)] : NULL;
}

/*
 * For the packet in `scratch`, whose service was removed from the file: the
 * service it belongs to, in `cell`, or none (0), and whether it is for a VIP.
 * See removing.bpf.h.
 */
SEPARATE int service_removing(void);

INLINE struct service_cell *find_among_removing(struct decision *d)
{
	struct handed *h = hand_decision(d);
	int is_found;

	if (!h)
		return NULL;
	is_found = service_removing();
	d->for_vip = h->decision.for_vip;
	d->cell = h->decision.cell;
	return is_found ? service_cell(d) : NULL;
}

/*
 * Sets d->for_vip and d->cell. The service may have been removed from the
 * file.
 */
INLINE struct service_cell *find_entry(struct decision *d,
				       const struct lookup *l)
{
	struct service_table table = service_table_of(
		d->generation_index, l->generation, &d->packet);
	struct service_cell *entry =
		service_of(&table, &d->packet, &d->for_vip);

	d->cell = table.cell;
	return entry;
}

/* Sets l->service. False: it is not for this service after all, or for none. */
INLINE bool take_entry(struct decision *d, struct lookup *l,
		       const struct service_cell *entry)
{
	/* An error about a packet that this VIP did not send. */
	if (!entry || (low_byte(&d->packet.is_error) &&
		       !addr_equal(&d->packet.quoted, &d->packet.destination)))
		return false;
	l->service = &entry->service;
	forget_ports(&d->packet, entry);
	return true;
}

/*
 * Sets d->for_vip and l->service. False: for no service, or for one that is
 * served apart, which is l->service then.
 */
INLINE bool find_service(struct decision *d, struct lookup *l)
{
	struct service_cell *entry = find_entry(d, l);

	if (entry && UNLIKELY(entry->service.unusual)) {
		if (entry->service.removing)
			entry = find_among_removing(d);
		if (entry && entry->service.apart) {
			l->service = &entry->service;
			return false;
		}
	}
	return take_entry(d, l, entry);
}

/* Finds the service again, in a function that was passed the decision. */
INLINE bool find_service_again(const struct decision *d, struct lookup *l)
{
	struct service_cell *entry = service_cell(d);

	l->service = entry ? &entry->service : NULL;
	return entry;
}
