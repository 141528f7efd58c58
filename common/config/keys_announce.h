/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * keys_announce.h - the rows of keys.c that say how VIPs are announced
 */
#pragma once

/* clang-format off */
#define KEYS_ANNOUNCE							       \
	{LEVEL_ANNOUNCE, "table", KIND_NUMBER, FIELD(config_announce, table),  \
	 .min = 1, .max = 4294967295u, .keywords = none_keywords,	       \
	 .standard = "none",						       \
	 .help = "A routing table of lbr's own, in which it keeps a `blackhole` " \
		 "route to each VIP, for a routing daemon to learn. No packet " \
		 "meets that table, as long as no rule names it."},	       \
	{LEVEL_ANNOUNCE, "protocol", KIND_NUMBER,			       \
	 FIELD(config_announce, protocol),				       \
	 .min = 5, .max = 255, .standard = "107",			       \
	 .help = "The protocol number of these routes; nobody else on the "    \
		 "host may use it in `table`."},			       \
	{LEVEL_ANNOUNCE, "metric", KIND_NUMBER,				       \
	 FIELD(config_announce, metric),				       \
	 .min = 1, .max = 4294967295u, .standard = "100",		       \
	 .help = "Metric of the route to a VIP that is fit."},		       \
	{LEVEL_ANNOUNCE, "metric-unfit", KIND_NUMBER,			       \
	 FIELD(config_announce, metric_unfit),				       \
	 .min = 1, .max = 4294967295u, .standard = "1000",		       \
	 .help = "Metric of the route to a VIP that is not; larger than "      \
		 "`metric`."},						       \
	{LEVEL_ANNOUNCE, "track-files", KIND_TEXT,			       \
	 FIELD(config_announce, track_files),				       \
	 .standard = "",						       \
	 .help = "A directory, in which a file of each VIP's address and one " \
		 "named `all` have a number for keepalived's `track_file`: "   \
		 "20 fit, 10 not fit, -254 withdrawn; `all` is the least of "  \
		 "them. Empty: none. The units make `/run/lbr`."},	       \
	{LEVEL_ANNOUNCE, "hook", KIND_TEXT, FIELD(config_announce, hook),      \
	 .standard = "",						       \
	 .help = "A program that is run when `lbr run` begins and when a "     \
		 "service's state changes, with five arguments: the service, " \
		 "`fit`, `unfit` or `withdrawn`, how many backends are up, of " \
		 "how many, and why. It is ended after 5 seconds. Empty: none."}, \
	{LEVEL_ANNOUNCE, "leave-after", KIND_DURATION,			       \
	 FIELD(config_announce, leave_after),				       \
	 .min = 0, .max = 60 * KEY_SECOND, .standard = "3s",		       \
	 .help = "How long `lbr leave` and `lbr down` wait after the VIPs "    \
		 "were withdrawn, while packets still come."},
/* clang-format on */
