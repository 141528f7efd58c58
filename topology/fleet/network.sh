# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Scenario: l3dsr with a second load balancer and four backends
# Then: lbdsr0a    make -C LoadBalancer
# Then: lbdsr0b    make -C LoadBalancer
# Then: backend0x  make -C Backend
# Then: backend0y  make -C Backend
# Then: backend0z  make -C Backend
# Then: backend0w  make -C Backend
#
#  curlybox01 .4 --+                          +-- .3 backend0x
#                  |                          |
#  lbdsr0a    .2 --+-- .3 router0a .2 --------+-- .4 backend0y
#                  |                          |
#  lbdsr0b    .5 --+                          +-- .5 backend0z
#                front                        |
#                                             +-- .6 backend0w
#                                            back
#
# The client's route to the VIP leads to lbdsr0a. What a router would do with
# BGP or ECMP, `ip route replace VIP via 172.17.0.5` does there.

# shellcheck source=/dev/null
. "$HERE/l3dsr/network.sh"

host lbdsr0b
xdp
in_front 5

backend backend0z 5
backend backend0w 6
