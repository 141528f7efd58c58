/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * inline.h - what is needed to compile the same source for BPF and natively
 */
#pragma once

#include <linux/types.h>
/* sparse: this change of byte order is intended. */
#ifdef __CHECKER__
#define FORCE __attribute__((force))
#else
#define FORCE
#endif

/* Constant expressions, because they are used in a `case`. */
#ifdef __bpf__
#include <bpf/bpf_endian.h>
#elif __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define bpf_htons(x) ((FORCE __be16)__builtin_bswap16(x))
#define bpf_htonl(x) ((FORCE __be32)__builtin_bswap32(x))
#define bpf_ntohs(x) __builtin_bswap16((FORCE __u16)(x))
#define bpf_ntohl(x) __builtin_bswap32((FORCE __u32)(x))
#else
#define bpf_htons(x) ((FORCE __be16)(__u16)(x))
#define bpf_htonl(x) ((FORCE __be32)(__u32)(x))
#define bpf_ntohs(x) ((FORCE __u16)(x))
#define bpf_ntohl(x) ((FORCE __u32)(x))
#endif

#define INLINE	    static inline __attribute__((always_inline))
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define LIKELY(x)   __builtin_expect(!!(x), 1)
