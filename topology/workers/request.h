/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * request.h - what client and server of the scenario say to each other
 *
 * A request is text, "NUMBER MILLISECONDS"; the answer is the same and the
 * server's name.
 */
#pragma once

#define PORT	     8080
#define RELEASE_PORT 8081
#define VIP	     "192.168.25.10"
#define LB	     "172.18.0.3"
#define REQUEST	     64 /* bytes, of the longest */
