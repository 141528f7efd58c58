/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * map.h - a map in one line, so that a program's maps are read as a list
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define MAP(name, kind, key_type, value_type, entries)                         \
	struct {                                                               \
		__uint(type, BPF_MAP_TYPE_##kind);                             \
		__type(key, key_type);                                         \
		__type(value, value_type);                                     \
		__uint(max_entries, entries);                                  \
	} name SEC(".maps")

/* A hash that allocates memory only for the entries it has. */
#define MAP_SPARSE(name, kind, key_type, value_type, entries)                  \
	struct {                                                               \
		__uint(type, BPF_MAP_TYPE_##kind);                             \
		__uint(map_flags, BPF_F_NO_PREALLOC);                          \
		__type(key, key_type);                                         \
		__type(value, value_type);                                     \
		__uint(max_entries, entries);                                  \
	} name SEC(".maps")

/* An array that the tool can map into its memory. */
#define MAP_MAPPED(name, key_type, value_type, entries)                        \
	struct {                                                               \
		__uint(type, BPF_MAP_TYPE_ARRAY);                              \
		__uint(map_flags, BPF_F_MMAPABLE);                             \
		__type(key, key_type);                                         \
		__type(value, value_type);                                     \
		__uint(max_entries, entries);                                  \
	} name SEC(".maps")

/*
 * `outer` inner maps. The tool creates them; this is the shape they must have,
 * with flags BPF_F_INNER_MAP but for the number of entries.
 */
#define MAP_OF_MAPS(name, kind, flags, key_type, value_type, entries, outer)   \
	struct name##_shape {                                                  \
		__uint(type, BPF_MAP_TYPE_##kind);                             \
		__uint(map_flags, flags);                                      \
		__uint(key_size, sizeof(key_type));                            \
		__uint(value_size, sizeof(value_type));                        \
		__uint(max_entries, entries);                                  \
	};                                                                     \
	struct {                                                               \
		__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);                      \
		__type(key, __u32);                                            \
		__uint(max_entries, outer);                                    \
		__array(values, struct name##_shape);                          \
	} name SEC(".maps")

/* One inner map for each generation, at the generation's index. */
#define MAP_OF_GENERATIONS(name, kind, flags, key_type, value_type, entries)   \
	MAP_OF_MAPS(name, kind, flags, key_type, value_type, entries,          \
		    GENERATIONS)
