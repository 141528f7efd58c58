/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nat_ports.h - the ports of nat-source, which the host's own connections must
 * not use
 */
#pragma once

#include "common/kernel/kernel.h"

/*
 * Before anything is changed: can what the host has reserved itself be noted?
 * Returns 0, or -1 with a fault.
 */
int nat_ports_refuse(const struct kernel *kernel, __u32 first,
		     struct fault *fault);
/*
 * Reserves the ports from `first` to 65535, beside those that the host has
 * reserved itself. If it would have none left to choose from, it gets those
 * below. Returns 0, or -1 with a fault.
 */
int nat_ports(struct kernel *kernel, __u32 first, struct fault *fault);
/* Is it one of the settings that nat_ports() changes? */
bool nat_ports_are(const char *sysctl);
