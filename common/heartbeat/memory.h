/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * memory.h - is a heartbeat new, and is its sender's clock right?
 *
 * A datagram proves with its HMAC who made it, not when. So a receiver
 * remembers of each sender which it has taken. While a run of `bkd run` lasts,
 * its sequence is enough, whatever its clock says. One that begins has to show
 * by its clock that it began after the one before.
 *
 * A run whose clock is wrong from its beginning cannot show that. What it says
 * is not used, but neither does the backend count as silent: its datagrams are
 * HEARTBEAT_CLOCK, as long as they are later than all of this kind before. So
 * somebody who has recorded datagrams that never came here can delay a verdict
 * once, for the length of the recording; but cannot bring a backend up.
 *
 * A host sends the same to an IPv4 and to an IPv6 group, and the two may
 * overtake each other: of the last 64, each is taken once, whichever comes
 * first.
 *
 * Laws: no datagram is taken twice, nor one that is 64 behind another; a
 * replayed one changes nothing.
 */
#pragma once

#include <stdbool.h>

#include "common/core/abi_heartbeats.h"
#include "common/heartbeat/wire.h"

/*
 * `ipv6`: it came by that; `now`: this host's clock, microseconds of Unix time;
 * `window`: how far the clocks may differ. ACCEPTED, CLOCK, REPEATED or
 * REPLAYED; but for the last, the memory has it from now on.
 */
enum heartbeat_word heartbeat_remember(struct heartbeat_memory *memory,
				       const struct heartbeat *heartbeat,
				       bool ipv6, __u64 now, __u64 window);
/* The sender's clock minus ours, microseconds. */
__s64 heartbeat_ahead(const struct heartbeat *heartbeat, __u64 now);
