/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * status.h - what `lbr run` tells who looks: one snapshot, in three forms
 */
#pragma once

#include "LoadBalancer/server.h"

/* Of a struct follow. */
extern const struct document_at status_documents[];

/* metrics.c: the snapshot in Prometheus' text format. */
struct json_t;
void metrics_write(const struct json_t *status, struct evbuffer *out);
