/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps.h - the maps that both programs have, each program its own; the others
 * are in the program's datapath/maps.bpf.h
 */
#pragma once

#include "common/bpf/map.h"
#include "common/core/abi.h"
#include "common/core/abi_packets.h"
#include "common/core/abi_services.h"
#include "common/core/packet.h"
#include "common/core/reason.h"

const volatile struct constants constants = {};

/* What the file says, once for each generation. */
MAP(generations, ARRAY, __u32, struct generation, GENERATIONS);

/* What outlives generations. */
volatile __u32 control[CONTROLS] SEC(".data.control") = {};
MAP(interfaces, ARRAY, __u32, struct interface, MAX_INTERFACES);
MAP(reasons, PERCPU_ARRAY, __u32, __u64, REASON_MAX);

/* The VLAN devices above the interfaces that the program is attached to. */
MAP(vlans, HASH, struct vlan_key, __u32, MAX_VLANS);

/* Packets for this host of which the first fragment has come. */
MAP(fragments, LRU_HASH, struct fragment_key, struct fragment, FRAGMENTED);

/* A packet that a separately verified function reads: [0], see parse.h. */
MAP(parsed, PERCPU_ARRAY, __u32, struct packet, 1);

/* Only for the tool: what it changed on this host. */
MAP_MAPPED(changes, __u32, struct change, MAX_CHANGES);
