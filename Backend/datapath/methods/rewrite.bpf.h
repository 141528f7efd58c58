/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rewrite.bpf.h - the method `rewrite`, at the backend (common/core/rewrite.h)
 */
#pragma once

#include "Backend/datapath/maps.bpf.h"
#include "common/core/rewrite.h"

INLINE enum reason rewrite_restore(struct decision *d)
{
	if (d->restore->method.checksum == CHECKSUM_UPDATE)
		rewrite_checksum(&d->packet, &d->packet.destination,
				 &d->restore->vip);
	rewrite_destination(&d->packet, &d->restore->vip);
	return REASON_restored;
}
