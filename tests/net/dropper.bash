# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# dropper.bash - loses packets on purpose, on any interface of any scenario. An
# interface with an XDP program of ours takes none beside it: attach to the
# other end of its wire then, `loses wires HOST-IFACE --direction out`.

# for setup_file
dropper_build() {
	make -s -C "$ROOT/topology/dropper" build
}

# dropper HOST VERB IFACE [OPTION]...
dropper() {
	on "$1" topology/dropper/dropper "${@:2}"
}

# loses HOST IFACE [OPTION]...: from now on, until `finds`
loses() {
	dropper "$1" attach "${@:2}"
}

# lost HOST IFACE: how many packets were dropped so far
lost() {
	dropper "$1" show "$2" | grep -o '[0-9]* dropped' | cut -d' ' -f1
}

# finds HOST IFACE: drops nothing any more
finds() {
	dropper "$1" detach "$2"
}
