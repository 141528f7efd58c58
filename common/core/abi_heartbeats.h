/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * abi_heartbeats.h - what a load balancer remembers of each sender of
 * heartbeats, in the map `heartbeats`: so that no end of `lbr run` has it take
 * a datagram twice, and other processes can show it
 */
#pragma once

#include "common/core/abi.h"

/* Runs of `bkd run` on one host that have ended, newest first. */
#define HEARTBEAT_RETIRED 6

/*
 * By which a datagram is told from one that came before. All zero: none came.
 * Times are microseconds of Unix time, by the sender's clock.
 */
struct heartbeat_memory {
	__u64 instance; /* the run of `bkd run` that is believed; 0: none */
	__u64 sequence; /* its highest */
	/* By IPv4 and by IPv6: bit n: the highest - n has come. */
	__u64 seen[2];
	__u64 time; /* of the last one whose clock was right; 0: none */
	/* A run whose clock has been wrong since it began. */
	__u64 wrong_instance, wrong_sequence, wrong_time;
	__u64 retired[HEARTBEAT_RETIRED]; /* instances; 0: none */
};
_Static_assert(sizeof(struct heartbeat_memory) == 112, "heartbeat_memory");

/* Key: the sender's address, as in the file of keys. */
struct heartbeat_row {
	struct heartbeat_memory memory;
	/* When they came last, in milliseconds of CLOCK_BOOTTIME; 0: never. */
	__u64 heard;	 /* one that was taken, or whose clock was wrong */
	__u64 clock_at;	 /* one whose clock was wrong */
	__u64 forged_at; /* one in its name, without its key */
	__s64 ahead;	 /* its clock, before this host's, in microseconds */
	__u8 digest[32]; /* of the file that runs there */
	__u32 interval;	 /* milliseconds */
	__u32 flows;	 /* connections of all services */
	__u32 moved;	 /* of these, those that need the transition */
	__u32 cpu;	 /* busy since the last one, per mille */
};
_Static_assert(sizeof(struct heartbeat_row) == 192, "heartbeat_row");
