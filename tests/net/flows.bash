# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# flows.bash - FLOWS connections that ask again and again: flood_flows.py

# shellcheck disable=SC2153 # the test's FLOWS

begin() {
	coproc flows {
		on "$CLIENT" prlimit --nofile=4096 \
			/usr/bin/python3 tests/net/flood_flows.py "$VIP4" "$FLOWS" 3>&-
	}
}

# tell WORD: what they answer
tell() {
	local said
	echo "$1" >&"${flows[1]}"
	read -rt $((40 * ${PATIENCE:-3})) said <&"${flows[0]}"
	echo "$said"
}
