// SPDX-License-Identifier: GPL-2.0-only
/*
 * selection.h against a model: the same rules again, as a sentence for each
 * case, without the shortcuts that make them fast
 */
#include "common/core/selection.h"
#include "tests/unit/unit.h"

enum { ROUNDS = 200000 };

static __u64 state = 0x9e3779b97f4a7c15ULL;

static __u32 draw(__u32 below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (__u32)(state >> 32) % below;
}

/* Any packet of a flow: TCP, UDP, an error about either, a later fragment. */
static struct packet any_packet(void)
{
	static const __u8 flags[] = {
		0,	    PACKET_SYN,	 PACKET_RST,   PACKET_SYN | PACKET_RST,
		PACKET_FIN, PACKET_PUSH, PACKET_LATER, PACKET_FIN | PACKET_PUSH,
	};
	struct packet packet = {
		.protocol = draw(3) ? IPPROTO_TCP : IPPROTO_UDP,
		.is_error = !draw(4),
	};

	if (packet.protocol == IPPROTO_TCP && !packet.is_error)
		packet.flags = flags[draw(sizeof(flags))];
	return packet;
}

static struct backend any_backend(void)
{
	return (struct backend){
		.id = 1 + draw(3),
		.service = 1 + draw(2),
		.state = (__u8)draw(BACKEND_REMOVING + 1),
	};
}

static int is_syn(const struct packet *packet)
{
	return !!(packet->flags & PACKET_SYN);
}

/* A backend that may be reached for this packet of a flow that it has. */
static int model_stays(const struct packet *packet, __u32 service,
		       const struct backend *backend)
{
	if (!backend || backend->service != service)
		return 0;
	switch (backend->state) {
	case BACKEND_ACTIVE:
		return 1;
	case BACKEND_DRAINING:
	case BACKEND_REMOVING:
		return !is_syn(packet);
	default:
		return 0;
	}
}

static void stays(void **unused)
{
	int i, n[2] = {0, 0};

	(void)unused;
	for (i = 0; i < ROUNDS; i++) {
		struct packet packet = any_packet();
		struct backend row = any_backend();
		const struct backend *backend = draw(8) ? &row : NULL;
		int is = selection_stays(&packet, 1, backend);

		assert_int_equal(is, model_stays(&packet, 1, backend));
		n[is]++;
	}
	assert_in_range(n[0], ROUNDS / 10, ROUNDS);
	assert_in_range(n[1], ROUNDS / 10, ROUNDS);
}

/* A new flow goes by its note, else by the current table. */
static void model_new(const struct packet *packet, const struct selecting *from,
		      struct selection *to)
{
	*to = (struct selection){.backend = from->table,
				 .selected_by = SELECTED_BY_TABLE,
				 .begins = is_syn(packet)};
	/* A flow whose SYN came before a change goes by the table before. */
	if (from->before && from->before != from->table && !is_syn(packet)) {
		to->backend = from->before;
		to->selected_by = SELECTED_BY_PREVIOUS;
	} else if (from->known) {
		to->selected_by = SELECTED_ANEW;
	}
	/* A note belongs to the flow itself, so it is believed. */
	if (from->begun) {
		to->backend = from->begun;
		to->selected_by =
			from->known ? SELECTED_ANEW : SELECTED_BY_MEMORY;
	}
	/* UDP has no SYN: without a note it begins a flow. Errors do not. */
	if (packet->protocol == IPPROTO_UDP)
		to->begins = !from->begun && !packet->is_error;

	/* Without memory: the owner's flows are old, new ones get a deputy. */
	if (from->owner && !is_syn(packet) &&
	    (from->owner->state == BACKEND_ACTIVE ||
	     from->owner->state == BACKEND_DRAINING ||
	     from->owner->state == BACKEND_REMOVING))
		to->backend = from->owner;
	if (from->forgets && is_syn(packet) && to->backend &&
	    to->backend->state != BACKEND_ACTIVE)
		to->backend = NULL;

	/* A packet that ends a flow, or that is about one, proves nothing. */
	if (!to->backend || packet->is_error || packet->flags & PACKET_RST)
		to->keep = KEEP_NOTHING;
	/* Anyone sends SYNs; a handshake that would break gets a free way. */
	else if (is_syn(packet))
		to->keep = (from->before && from->before != to->backend &&
			    !from->lives) ||
					   (from->owner &&
					    from->owner != to->backend)
				   ? KEEP_WAY
				   : KEEP_NOTE;
	/* The second packet is believed. */
	else
		to->keep = from->begun || from->known ? KEEP_FLOW : KEEP_NOTE;
}

static void new_flows(void **unused)
{
	int i, selected[4] = {0}, keeps[4] = {0};

	(void)unused;
	for (i = 0; i < ROUNDS; i++) {
		struct packet packet = any_packet();
		struct backend rows[] = {any_backend(), any_backend(),
					 any_backend()};
		struct selecting from = {.known = draw(2), .forgets = draw(2)};
		struct selection is, model;

		from.lives = from.known && draw(2);
		if (draw(2)) {
			from.begun = &rows[draw(3)];
		} else {
			from.table = draw(4) ? &rows[draw(3)] : NULL;
			from.before = draw(2) ? &rows[draw(3)] : NULL;
			if (!from.known)
				from.owner = draw(2) ? &rows[draw(3)] : NULL;
		}
		is = selection_new(&packet, &from);
		model_new(&packet, &from, &model);
		assert_ptr_equal(is.backend, model.backend);
		assert_int_equal(is.selected_by, model.selected_by);
		assert_int_equal(is.keep, model.keep);
		assert_int_equal(is.begins, model.begins);
		selected[is.selected_by]++;
		keeps[is.keep]++;
	}
	for (i = 0; i < 4; i++) {
		assert_in_range(selected[i], ROUNDS / 1000, ROUNDS);
		assert_in_range(keeps[i], ROUNDS / 1000, ROUNDS);
	}
}

/* A memory is deleted if no packet may follow it any more. */
static void forgets(void **unused)
{
	static const struct {
		bool known, lives, held, forgets;
	} rows[] = {
		{false, false, false, false}, {false, false, true, false},
		{true, false, false, true},   {true, false, true, false},
		{true, true, false, false},   {true, true, true, false},
	};
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(selection_forgets(rows[i].known, rows[i].lives,
						   rows[i].held),
				 rows[i].forgets);
	}
}

static void notes(void **unused)
{
	static const struct {
		struct packet packet;
		__u32 unknown, known;
	} rows[] = {
		{{.protocol = IPPROTO_TCP, .flags = PACKET_SYN},
		 0,
		 NOTE_OF_SYN},
		{{.protocol = IPPROTO_TCP},
		 NOTE_OF_SYN | NOTE_PLAIN,
		 NOTE_OF_SYN},
		{{.protocol = IPPROTO_TCP, .flags = PACKET_LATER},
		 NOTE_PLAIN,
		 0},
		{{.protocol = IPPROTO_TCP, .is_error = 1}, NOTE_PLAIN, 0},
		{{.protocol = IPPROTO_UDP}, NOTE_PLAIN, 0},
	};
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(selection_notes(&rows[i].packet, false),
				 rows[i].unknown);
		assert_int_equal(selection_notes(&rows[i].packet, true),
				 rows[i].known);
	}
}

static void generation_before(void **unused)
{
	static const struct packet syn = {.protocol = IPPROTO_TCP,
					  .flags = PACKET_SYN},
				   ack = {.protocol = IPPROTO_TCP},
				   udp = {.protocol = IPPROTO_UDP};
	struct backend backend = {.id = 7};
	int state_of;

	(void)unused;
	assert_true(selection_is_in_grace(&ack, 99, 100));
	assert_false(selection_is_in_grace(&ack, 100, 100));
	assert_false(selection_is_in_grace(&udp, 99, 100));
	assert_true(selection_hears(&ack, 3, 3));
	assert_false(selection_hears(&ack, 2, 3));
	assert_true(selection_hears(&syn, 2, 3));
	assert_false(selection_was_there(NULL));
	for (state_of = BACKEND_ACTIVE; state_of <= BACKEND_REMOVING;
	     state_of++) {
		backend.state = (__u8)state_of;
		assert_int_equal(selection_was_there(&backend),
				 state_of != BACKEND_DOWN);
		assert_true(selection_is(&backend, 7));
		assert_false(selection_is(&backend, 8));
		assert_int_equal(selection_may_have_moved(backend.state),
				 state_of != BACKEND_ACTIVE);
	}
	backend.state = BACKEND_ABSENT;
	assert_false(selection_is(&backend, 7));
}

/* The flow table's entry after one more packet; and whether it may be hot. */
static void entries(void **unused)
{
	static const struct packet ack = {.protocol = IPPROTO_TCP},
				   fin = {.protocol = IPPROTO_TCP,
					  .flags = PACKET_FIN},
				   push = {.protocol = IPPROTO_TCP,
					   .flags = PACKET_PUSH},
				   syn = {.protocol = IPPROTO_TCP,
					  .flags = PACKET_SYN};

	(void)unused;
	assert_int_equal(selection_entry(&ack, 9 | FLOW_BEGINS, 9), 9);
	assert_int_equal(selection_entry(&syn, 9 | FLOW_BEGINS, 9),
			 9 | FLOW_BEGINS);
	assert_int_equal(selection_entry(&fin, 9, 9), 9 | FLOW_ENDS);
	assert_int_equal(selection_entry(&ack, 9 | FLOW_ENDS, 9),
			 9 | FLOW_ENDS);
	assert_int_equal(selection_entry(&push, 9 | FLOW_ENDS, 9), 9);
	assert_int_equal(selection_entry(&ack, 9 | FLOW_UDP, 9), 9 | FLOW_UDP);
	assert_true(selection_is_hot(9));
	assert_true(selection_is_hot(9 | FLOW_UDP));
	assert_false(selection_is_hot(9 | FLOW_BEGINS));
	assert_false(selection_is_hot(9 | FLOW_ENDS));
	assert_true(selection_may_be_hot(&ack, false));
	assert_false(selection_may_be_hot(&ack, true));
	assert_false(selection_may_be_hot(&fin, false));
}

/* Only a SYN, and only where the scheduler is no function of the flow. */
static void in_turn(void **unused)
{
	static const struct packet syn = {.flags = PACKET_SYN},
				   syn_rst = {.flags = PACKET_SYN | PACKET_RST},
				   ack = {0};
	__u8 i;

	(void)unused;
	for (i = 0; i < SCHEDULER_COUNT; i++) {
		assert_int_equal(selection_in_turn(&syn, i),
				 !scheduler_is_function(i));
		assert_false(selection_in_turn(&syn_rst, i));
		assert_false(selection_in_turn(&ack, i));
		assert_false(selection_in_turn(&syn, i) &&
			     select_is_simple(&syn, i));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stays),
		cmocka_unit_test(new_flows),
		cmocka_unit_test(forgets),
		cmocka_unit_test(notes),
		cmocka_unit_test(generation_before),
		cmocka_unit_test(entries),
		cmocka_unit_test(in_turn),
	};

	return RUN("selection", tests);
}
