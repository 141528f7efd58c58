/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * notify.h - what a service tells systemd, see sd_notify(3)
 */
#pragma once

/* "READY=1", ...; does nothing if nobody listens. */
void notify(const char *state);
