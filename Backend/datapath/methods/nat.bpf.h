/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nat.bpf.h - the method `nat`, at the backend: its packets come to the
 * backend's own address from the load balancer, and need no xdp_bkd
 */
#pragma once
