/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * filters.h - whose is a clsact qdisc?
 */
#pragma once

/*
 * Does an interface's clsact qdisc have a filter, on the way in or out? 1, 0,
 * or -errno.
 */
int filters_are_left(int ifindex);
