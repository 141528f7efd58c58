# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# modes.bash - a network for each mode, whose suffix is in RUN_generic and
# RUN_native: native wants other ports than generic needs

teardown_file() {
	networks_down generic native
}

# over MODE: uses the network whose programs are attached in that mode
over() {
	local name=RUN_$1
	export TOPO_RUN=${!name}
	[[ $(lbr show -j interfaces | jq -r '.interfaces[].mode') == "$1" ]]
}
