/* SPDX-License-Identifier: GPL-2.0-only */
/* What the texts of refuse.h begin with. */
#pragma once

#include "tests/unit/refuse.h"

#define VIP	 "services:\n- vip: 192.0.2.1\n"
#define HEAD	 VIP "  port: 80\n"
#define BACKENDS "  backends:\n  - address: 198.51.100.1\n"
#define SERVICE	 HEAD BACKENDS
