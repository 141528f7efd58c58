# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What stands in a packet at each hop: lib/hops/, which learns from here what
# is up, and of each declared host its name, whether XDP is meant to be
# attached there, and its addresses on lo.

hops() {
	local h declared='' scenario=''
	if is_up; then
		scenario=$(running)
		load_scenario "$scenario"
		# shellcheck disable=SC2153 # two things
		for h in "${HOSTS[@]}"; do
			declared+="$h ${XDP[$h]:-0}$(awk '$1 == "lo" {
				sub("/.*", "", $2)
				printf " %s", $2
			}' <<<"${ADDRESSES[$h]}")"$'\n'
		done
	fi
	# scapy would leave files in root's home
	export XDG_CACHE_HOME=/dev/null XDG_CONFIG_HOME=/dev/null
	TOPO_STATE=$STATE TOPO_SCENARIO=$scenario TOPO_HOSTS=$declared \
		exec /usr/bin/python3 -B "$HERE/lib/hops" "$@"
}
