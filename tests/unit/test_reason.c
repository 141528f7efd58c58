// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the table of reasons promises, said a second time: a row that is added
 * or changed has to be added or changed here by someone who has thought of
 * what it does to the packet.
 */
#include <stdbool.h>
#include <string.h>

#include "common/core/reason.h"
#include "tests/unit/unit.h"

static const struct {
	const char *name;
	enum reason reason;
	int action;
	int programs;
	const char *text;
} rows[] = {
#define ROW(name, action, programs, text)                                      \
	{#name, REASON_##name, XDP_##action, programs, text},
	REASONS(ROW)
#undef ROW
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void every_reason_has_an_action(void **unused)
{
	size_t i;

	(void)unused;
	assert_int_equal(ROWS, REASON_MAX);
	for (i = 0; i < ROWS; i++) {
		assert_int_equal(rows[i].reason, i);
		assert_int_equal(reason_action(rows[i].reason), rows[i].action);
		assert_int_not_equal(rows[i].action, XDP_ABORTED);
		assert_true(rows[i].programs & (IN_LBR | IN_BKD));
		assert_true(strlen(rows[i].text) > 10);
	}
}

/* No packet leaves with these; a program that tries is stopped, and counted. */
static void no_way_out(void **unused)
{
	(void)unused;
	assert_int_equal(REASON_NONE, REASON_MAX);
	assert_int_equal(reason_action(REASON_NONE), XDP_ABORTED);
	assert_int_equal(reason_action(REASON_MAX + 1), XDP_ABORTED);
}

static void names_are_unique(void **unused)
{
	size_t i, j;

	(void)unused;
	for (i = 0; i < ROWS; i++)
		for (j = i + 1; j < ROWS; j++) {
			assert_string_not_equal(rows[i].name, rows[j].name);
			assert_string_not_equal(rows[i].text, rows[j].text);
		}
}

/*
 * The law of reason.h: a packet that is passed up for one of these reasons is
 * bit for bit what came in, except for the reasons that reason.h names.
 */
static void passed_up(void **unused)
{
	static const char *const passing[] = {
		"not_ip",
		"vlan_tagged",
		"foreign_mac",
		"no_configuration",
		"malformed",
		"not_vip",
		"path_mtu_learned",
		"path_mtu_refused",
		"unmatched_passed",
		"local_passed",
		"neighbour_discovery",
		"martian_passed",
		"device_passed",
		"not_listed",
		"fragment_passed",
		"extension_passed",
		"restore_expired",
		"neighbour_unresolved",
		"neighbour_prompted",
		"restored",
		"super_packet",
		"decapsulated",
		"delivered",
		"foreign_source",
		"congestion_lost",
		"second_chance_spent",
		"no_backend_passed",
		"translating",
	};
	const size_t count = sizeof(passing) / sizeof(passing[0]);
	size_t i, j;

	(void)unused;
	for (i = 0; i < ROWS; i++) {
		for (j = 0; j < count; j++)
			if (!strcmp(rows[i].name, passing[j]))
				break;
		if ((j < count) != (rows[i].action == XDP_PASS))
			fail_msg("%s: action %d", rows[i].name, rows[i].action);
	}
}

/* A packet that is neither passed up nor sent is dropped. */
static void sent(void **unused)
{
	size_t i;

	(void)unused;
	for (i = 0; i < ROWS; i++) {
		bool tx = !strcmp(rows[i].name, "forwarded") ||
			  !strcmp(rows[i].name, "neighbour_asked") ||
			  !strcmp(rows[i].name, "echo_answered") ||
			  !strcmp(rows[i].name, "ttl_answered") ||
			  !strcmp(rows[i].name, "too_big_answered") ||
			  !strcmp(rows[i].name, "second_chance");
		bool redirected = !strcmp(rows[i].name, "redirected") ||
				  !strcmp(rows[i].name, "translated") ||
				  !strcmp(rows[i].name, "returned") ||
				  !strcmp(rows[i].name, "check_reply");

		assert_int_equal(rows[i].action == XDP_TX, tx);
		assert_int_equal(rows[i].action == XDP_REDIRECT, redirected);
	}
}

/*
 * xdp_bkd restores or passes. It sends only packets that another backend may
 * have to take, and drops only what it cannot send there.
 */
static void backend_only_passes(void **unused)
{
	int wanted;
	size_t i;

	(void)unused;
	for (i = 0; i < ROWS; i++) {
		wanted = !strcmp(rows[i].name, "second_chance") ? XDP_TX
			 : !strcmp(rows[i].name, "second_chance_rate") ||
					 !strcmp(rows[i].name,
						 "second_chance_neighbour") ||
					 !strcmp(rows[i].name,
						 "second_chance_merged")
				 ? XDP_DROP
				 : XDP_PASS;
		if (rows[i].programs & IN_BKD)
			assert_int_equal(rows[i].action, wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_has_an_action),
		cmocka_unit_test(no_way_out),
		cmocka_unit_test(names_are_unique),
		cmocka_unit_test(passed_up),
		cmocka_unit_test(sent),
		cmocka_unit_test(backend_only_passes),
	};

	return RUN("reason", tests);
}
