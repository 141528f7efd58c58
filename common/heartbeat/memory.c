// SPDX-License-Identifier: GPL-2.0-only
#include "common/heartbeat/memory.h"

#include <string.h>

__s64 heartbeat_ahead(const struct heartbeat *heartbeat, __u64 now)
{
	return (__s64)(heartbeat->time - now);
}

static bool is_within(__s64 ahead, __u64 window)
{
	return ahead < 0 ? 0 - (__u64)ahead <= window : (__u64)ahead <= window;
}

static bool is_retired(const struct heartbeat_memory *memory, __u64 instance)
{
	int i;

	for (i = 0; i < HEARTBEAT_RETIRED; i++) {
		if (memory->retired[i] == instance)
			return true;
	}
	return false;
}

/* Another run is believed from now on. */
static void replace(struct heartbeat_memory *memory,
		    const struct heartbeat *heartbeat, bool ipv6)
{
	if (memory->instance) {
		memmove(&memory->retired[1], &memory->retired[0],
			sizeof(memory->retired) - sizeof(memory->retired[0]));
		memory->retired[0] = memory->instance;
	}
	if (memory->wrong_instance == heartbeat->instance)
		memory->wrong_instance = memory->wrong_sequence = 0;
	memory->instance = heartbeat->instance;
	memory->sequence = heartbeat->sequence;
	memory->time = heartbeat->time;
	memory->seen[ipv6] = 1;
	memory->seen[!ipv6] = 0;
}

/* Of the run that is believed: has this sequence come? */
static enum heartbeat_word arrive(struct heartbeat_memory *memory,
				  __u64 sequence, bool ipv6)
{
	__u64 ahead = sequence - memory->sequence, bit = 1;
	int i;

	if (sequence > memory->sequence) {
		for (i = 0; i < 2; i++)
			memory->seen[i] =
				ahead < 64 ? memory->seen[i] << ahead : 0;
		memory->sequence = sequence;
		memory->seen[ipv6] |= bit;
		return HEARTBEAT_ACCEPTED;
	}
	if (memory->sequence - sequence >= 64)
		return HEARTBEAT_REPLAYED;
	bit <<= memory->sequence - sequence;
	if (memory->seen[ipv6] & bit)
		return HEARTBEAT_REPLAYED;
	memory->seen[ipv6] |= bit;
	return memory->seen[!ipv6] & bit ? HEARTBEAT_REPEATED
					 : HEARTBEAT_ACCEPTED;
}

/* Of a run that is not believed, and whose clock is wrong. */
static enum heartbeat_word wrong(struct heartbeat_memory *memory,
				 const struct heartbeat *heartbeat)
{
	if (heartbeat->instance != memory->wrong_instance &&
	    heartbeat->time <= memory->wrong_time)
		return HEARTBEAT_REPLAYED;
	memory->wrong_instance = heartbeat->instance;
	memory->wrong_sequence = heartbeat->sequence;
	if (heartbeat->time > memory->wrong_time)
		memory->wrong_time = heartbeat->time;
	return HEARTBEAT_CLOCK;
}

enum heartbeat_word heartbeat_remember(struct heartbeat_memory *memory,
				       const struct heartbeat *heartbeat,
				       bool ipv6, __u64 now, __u64 window)
{
	bool right = is_within(heartbeat_ahead(heartbeat, now), window);
	/* If this host's clock was set back, it says nothing any more. */
	__u64 last = memory->time <= now + window ? memory->time : 0;
	enum heartbeat_word word;

	if (heartbeat->instance == memory->instance) {
		word = arrive(memory, heartbeat->sequence, ipv6);
		if (word != HEARTBEAT_ACCEPTED || !right)
			return word == HEARTBEAT_ACCEPTED ? HEARTBEAT_CLOCK
							  : word;
		if (heartbeat->sequence == memory->sequence)
			memory->time = heartbeat->time;
		return HEARTBEAT_ACCEPTED;
	}
	if (is_retired(memory, heartbeat->instance) ||
	    (heartbeat->instance == memory->wrong_instance &&
	     heartbeat->sequence <= memory->wrong_sequence))
		return HEARTBEAT_REPLAYED;
	if (!right)
		return wrong(memory, heartbeat);
	if (heartbeat->time <= last)
		return HEARTBEAT_REPLAYED;
	replace(memory, heartbeat, ipv6);
	return HEARTBEAT_ACCEPTED;
}
