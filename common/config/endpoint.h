/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * endpoint.h - texts for what maps hold
 */
#pragma once

#include "common/config/config.h"
#include "common/core/abi_services.h"

const char *scheduler_name(__u8 scheduler);
const char *checksum_name(__u8 checksum);
/* "dscp 10, update"; `text` holds 32 bytes. */
const char *method_text(const struct method *method, char *text);
const char *protocol_name(__u8 protocol);
/* "192.0.2.1:80", "[2001:db8::1]:any"; `text` holds 64 bytes. */
const char *endpoint_text(const struct addr *address, __be16 port, char *text);
/*
 * Cuts off "/tcp" or "/udp". Returns IPPROTO_*, 0 if there is neither, or -1.
 */
int protocol_cut(char *text);
/* Parses such a text, which needs a port number. 0, or -1. */
int endpoint_parse(const char *text, struct addr *address, __be16 *port);
