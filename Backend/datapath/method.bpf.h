/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * method.bpf.h - the forwarding methods (common/core/method.h), undone
 *
 * The file of a method NAME has
 *
 *	enum reason NAME_restore(struct decision *)
 *
 * which makes the packet what the client sent: d->restore is the row for it.
 * It cannot fail. If there is NOTHING to restore, the file has none. A method
 * that is restored by INNER has two others instead:
 *
 *	bool NAME_is(const struct packet *)
 *
 * May the packet have one inside, by this method?
 *
 *	enum reason NAME_take_out(struct xdp_md *)
 *
 * Takes it out of the packet in `parsed` (hand.h), if that one is for a listed
 * service and comes from one of `lb-sources`.
 *
 *	enum reason NAME_take_out_plain(struct xdp_md *)
 *
 * The short way for most of them, from a frame that nobody has parsed. No trace
 * is written. REASON_UNUSUAL: it is none of them; nothing is done yet.
 */
#pragma once

#include "Backend/datapath/methods/all.bpf.h" /* by make */
#include "common/core/method.h"

/* Code for the rows that are restored by INNER, and for those that are
 * restored otherwise. */
#define IF_INNER(...) __VA_ARGS__
#define IF_ADDRESS(...)
#define IF_MARK(...)
#define IF_VIP(...)
#define IF_NOTHING(...)
#define UNLESS_INNER(...)
#define UNLESS_NOTHING(...)
#define UNLESS_ADDRESS(...) __VA_ARGS__
#define UNLESS_MARK(...)    __VA_ARGS__
#define UNLESS_VIP(...)	    __VA_ARGS__

/* May there be a packet inside? */
INLINE bool is_outer(const struct packet *packet)
{
#define METHOD_IS(name, by, ...) IF_##by(|| name##_is(packet))
	return false METHODS(METHOD_IS);
#undef METHOD_IS
}

/* What becomes of the packet in `parsed`, which may have one inside. */
INLINE enum reason take_out(struct xdp_md *ctx, const struct packet *packet)
{
#define METHOD_TAKE_OUT(name, by, ...)                                         \
	IF_##by(if (name##_is(packet)) return name##_take_out(ctx);)
	METHODS(METHOD_TAKE_OUT)
#undef METHOD_TAKE_OUT
	return REASON_not_listed;
}

/* What becomes of any packet that is not plain, if it has one inside. */
INLINE enum reason take_out_plain(struct xdp_md *ctx)
{
	enum reason reason = REASON_UNUSUAL;

#define METHOD_TAKE_OUT(name, by, ...)                                         \
	IF_##by(if (reason == REASON_UNUSUAL) reason =                         \
			name##_take_out_plain(ctx);)
	METHODS(METHOD_TAKE_OUT)
#undef METHOD_TAKE_OUT
	return reason;
}

INLINE enum reason restore_by_method(struct decision *d)
{
	switch (d->restore->method.forward) {
#define METHOD_RESTORE(name, by, ...)                                          \
	UNLESS_##by(case FORWARD_##name : return name##_restore(d);)
		METHODS(METHOD_RESTORE)
#undef METHOD_RESTORE
	default:
		return REASON_not_listed;
	}
}
