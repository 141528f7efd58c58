# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Scenario: l3dsr with one more client, client0z, in the backends' subnet
#
#  curlybox01 .4 --- front --- .2 lbdsr0a
#                      |
#                 .3 router0a .2 --- back --- backends
#                                     |
#                                     +------ .5 client0z
#
# Its requests pass the router twice, on the way to the LB and back; the reply
# comes from a neighbour, with the VIP as its source.

# shellcheck source=/dev/null
. "$HERE/l3dsr/network.sh"

host client0z
in_back 5

on router0a
vip_via 172.17.0.2 2001:db8:17::2
