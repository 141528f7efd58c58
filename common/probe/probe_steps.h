/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * probe_steps.h - what the files of a probe need from each other
 */
#pragma once

#include "common/probe/answered.h"
#include "common/probe/probe.h"

struct sockaddr_storage;

/*
 * probe.c: it ends. Either the backend has answered, or the kernel reported
 * `error`.
 */
void probe_application(struct probe *probe, enum outcome outcome);
void probe_refused(struct probe *probe, int error);
/* The answer is bad. */
void probe_bad(struct probe *probe, const char *why);
/* The result is filled in. */
void probe_finish(struct probe *probe);
/* The address it asks. Returns the length. */
unsigned int probe_address(const struct probe *probe,
			   struct sockaddr_storage *to);

/*
 * probe_silence.c: it ends, because nothing has come back. May that be so, if
 * the server never answers?
 */
void probe_path_bad(struct probe *probe, const char *why);
void probe_not_heard(struct probe *probe);
void probe_silent(struct probe *probe);
bool probe_may_be_silent(const struct probe *probe);

/*
 * probe_http.c: sends the request; reads the answer. `all`: nothing more will
 * come.
 */
int probe_ask(struct probe *probe); /* 0, or -1: no memory */
enum verdict probe_hear(struct probe *probe, bool all);
/* A TLS session, not begun. NULL: no memory. */
SSL *probe_tls(struct probe *probe);

/* probe_udp.c: sends, and waits. Returns 0, or -1 with errno. */
int probe_datagram(struct probe *probe);
/*
 * Its time is over, and no good answer has come. True: something bad has come,
 * and it has ended.
 */
bool datagram_is_bad(struct probe *probe);
/* Has the backend's host refused another probe's datagram lately? */
bool host_refused_lately(const struct probe *probe);
