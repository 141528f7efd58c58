/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * keywords.h - the words that keys of keys.c take, and what each stands for
 */
#pragma once

#include <netinet/in.h>

#include "common/config/config.h"
#include "common/config/keys.h"
#include "common/core/method.h"
#include "common/core/scheduler.h"

static const struct keyword unmatched_keywords[] = {{"local", UNMATCHED_LOCAL},
						    {"drop", UNMATCHED_DROP},
						    {"pass", UNMATCHED_PASS},
						    {}};
static const struct keyword claim_keywords[] = {{"none", 0}, {"arp", 1}, {}};
static const struct keyword protocol_keywords[] = {
	{"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {}};
static const struct keyword scheduler_keywords[] = {
#define SCHEDULER_WORD(NAME, name, word, kind, order) {word, SCHEDULER_##NAME},
	SCHEDULERS(SCHEDULER_WORD)
#undef SCHEDULER_WORD
		{}};
/* Of a CHOICE, nobody can say in which slot a flow began. */
#define WAS_FUNCTION(NAME, word) {word, 1 + SCHEDULER_##NAME},
#define WAS_CHOICE(NAME, word)
#define WAS_POOL(NAME, word)
static const struct keyword was_keywords[] = {
#define WAS_WORD(NAME, name, word, kind, order) WAS_##kind(NAME, word)
	SCHEDULERS(WAS_WORD)
#undef WAS_WORD
		{"service", 0},
	{}};
static const struct keyword forward_keywords[] = {
#define METHOD_WORD(name, ...) {#name, FORWARD_##name},
	METHODS(METHOD_WORD)
#undef METHOD_WORD
		{}};
static const struct keyword fragments_keywords[] = {
	{"by-id", 0}, {"by-address", 1}, {}};
static const struct keyword port_keywords[] = {{"any", 0}, {}};
static const struct keyword mtu_keywords[] = {{"route", 0}, {}};
static const struct keyword checksum_keywords[] = {
	{"keep", CHECKSUM_KEEP}, {"update", CHECKSUM_UPDATE}, {}};
static const struct keyword none_keywords[] = {{"none", 0}, {}};
const struct keyword check_keywords[] = {{"tcp", CHECK_TCP},
					 {"http", CHECK_HTTP},
					 {"https", CHECK_HTTPS},
					 {"udp", CHECK_UDP},
					 {"heartbeat", CHECK_HEARTBEAT},
					 {"none", CHECK_NONE},
					 {}};
static const struct keyword heartbeats_keywords[] = {
	{"none", HEARTBEATS_NONE},
	{"beside", HEARTBEATS_BESIDE},
	{"alone", HEARTBEATS_ALONE},
	{}};
static const struct keyword status_keywords[] = {{"ok", 0}, {}};
static const struct keyword service_keywords[] = {{"service", 0}, {}};
static const struct keyword down_keywords[] = {
	{"keep", DOWN_KEEP}, {"move", DOWN_MOVE}, {}};
static const struct keyword all_down_keywords[] = {{"all", ALL_DOWN_ALL},
						   {"drop", ALL_DOWN_DROP},
						   {"pass", ALL_DOWN_PASS},
						   {}};
static const struct keyword no_answer_keywords[] = {
	{"down", NO_ANSWER_DOWN}, {"up", NO_ANSWER_UP}, {}};
static const struct keyword flows_keywords[] = {
	{"remember", FLOWS_REMEMBER},
	{"second-chance", FLOWS_SECOND_CHANCE},
	{}};
static const struct keyword chance_keywords[] = {
	{"transition", CHANCE_TRANSITION}, {"always", CHANCE_ALWAYS}, {}};
static const struct keyword state_keywords[] = {{"filling", STATE_FILLING},
						{"active", STATE_ACTIVE},
						{"draining", STATE_DRAINING},
						{}};
static const struct keyword restore_keywords[] = {
	{"lo", RESTORE_LO}, {"tc", RESTORE_TC}, {}};
static const struct keyword weight_keywords[] = {{"weight", 0}, {}};
static const struct keyword bool_keywords[] = {{"true", 1}, {"false", 0}, {}};
