# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Scenario: l3dsr with an LB on both segments, and a client on each
#
#  curlybox01 .4 --- front --- .2 eth0 lbdsr0a eth1 .6 --- back --- backends
#                      |                                   |  |
#                      +------- .3 router0a .2 ------------+  +--- .5 client0z
#
# Requests of curlybox01 come in by eth0 and leave through eth1, those of
# client0z come in and leave by eth1. Only curlybox01's replies pass the router.

# shellcheck source=/dev/null
. "$HERE/l3dsr/network.sh"

host lbdsr0a
xdp
iface eth0 front 172.17.0.2/16 2001:db8:17::2/64
iface eth1 back 172.19.0.6/16 2001:db8:19::6/64

host client0z
in_back 5
vip_via 172.19.0.6 2001:db8:19::6
