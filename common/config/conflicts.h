/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conflicts.h - conflicts between lines of a file
 *
 * Law: after this check, both ends are functions. A load balancer finds at most
 * one service for (VIP, port, protocol); a backend finds at most one VIP for
 * (its address, port, protocol) and what else the method provides: see enum
 * restored_by in common/core/method.h.
 */
#pragma once

#include <stdio.h>

#include "common/config/config.h"
#include "common/config/refusal.h"

/* 0, or -1 with the refusal written. */
int conflicts_check(const struct config *config, const struct refusal *refusal);

/* Warns of what is allowed but most likely a mistake, a line each. */
void conflicts_warn(const struct config *config, FILE *out);
