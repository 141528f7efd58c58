/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * noclass.bpf.h - the method `noclass`, at the backend
 */
#pragma once

#include "Backend/datapath/methods/rewrite.bpf.h"

INLINE enum reason noclass_restore(struct decision *d)
{
	return rewrite_restore(d);
}
