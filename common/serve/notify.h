/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * notify.h - what a service tells systemd of itself, see sd_notify(3)
 */
#pragma once

/* "READY=1", ...; nothing where nobody wants to know. */
void notify(const char *state);
