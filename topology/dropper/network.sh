# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Scenario: a client and a server, whose interface loses segments on purpose
# Then: server make -C topology/dropper
# Then: server topology/dropper/server.py
# Then: client topology/dropper/client.py 172.17.0.2
#
#  server .2 (::2)            client .3 (::3)
#     eth0 [xdp_dropper]         eth0
#      |                          |
#    --+--------------------------+--   front  172.17.0.0/16  2001:db8:17::/64

segment front

host server
xdp
iface eth0 front 172.17.0.2/16 2001:db8:17::2/64

host client
iface eth0 front 172.17.0.3/16 2001:db8:17::3/64
