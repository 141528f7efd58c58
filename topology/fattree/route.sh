#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# route.sh ROUTER-ID AS BELOW AGGREGATE ABOVE...
#                     a switch's routing daemon, bird2: it takes BGP sessions from
#                     addresses in BELOW and opens one to each ABOVE. It announces
#                     AGGREGATE, in which its hosts are; '-': it has none
# route.sh settled N  status 0 if the kernel has N next hops from bird

set -euo pipefail
here=$(dirname "$(realpath "$0")")

settled() {
	(($(ip route show proto bird | grep -c via) >= $1))
	exit
}

sessions() { # BELOW AGGREGATE ABOVE...
	local kind=host above
	if [[ $2 == - ]]; then
		kind=fabric
	else
		echo "protocol static { ipv4; route $2 unreachable; }"
	fi
	echo "protocol bgp from $kind { neighbor range $1 external; }"
	for above in "${@:3}"; do
		echo "protocol bgp from fabric { neighbor $above external; }"
	done
}

[[ $1 != settled ]] || settled "$2"
mkdir -p /run/bird
{
	echo "router id $1;"
	echo "define SELF = $2;"
	echo "include \"$here/switch.conf\";"
	sessions "${@:3}"
} >/run/bird/bird.conf
bird -c /run/bird/bird.conf -s /run/bird/ctl -P /run/bird/pid
