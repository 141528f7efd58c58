/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conflicts.h - what no line of a file shows on its own
 *
 * Law: what passes here is a function both ways. A load balancer finds at
 * most one service for (VIP, port, protocol); a backend finds at most one VIP
 * for (its address, port, protocol) and what the method leaves besides: under
 * `rewrite` nothing, under `dscp` the mark, under `ipip` and `l2` the VIP.
 */
#pragma once

#include <stdio.h>

#include "common/config/config.h"
#include "common/config/refusal.h"

/* 0, or -1 with the refusal written. */
int conflicts_check(const struct config *config, const struct refusal *refusal);

/* What is allowed and yet most likely a mistake, a line each. */
void conflicts_warn(const struct config *config, FILE *out);
