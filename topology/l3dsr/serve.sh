#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# serve.sh [NGINX.CONF]: what a backend serves: HTTP on port 80 and a UDP echo on
# 7777, both in the background and ready when this returns. Everything they write
# is below /run/nginx and /run/udp_echo.log, which are the host's own.

set -euo pipefail
here=$(dirname "$(realpath "$0")")

mkdir -p /run/nginx/files /run/nginx/tmp
# the file that fleet/talk.py asks for
{ seq 500; echo "the end of a small file"; } >/run/nginx/files/small
nginx -p /run/nginx/ -e error.log -c "$(realpath "${1:-$here/nginx.conf}")"

# one listener for each address, so that a reply comes from the address that was asked
mapfile -t addresses < <(ip -o address show scope global |
	awk '{ sub("/.*", "", $4); print $4 }')
/usr/bin/python3 "$here/udp_echo.py" 7777 "${addresses[@]}" \
	>/run/udp_echo.log 2>&1 || {
	cat /run/udp_echo.log >&2
	exit 1
}
