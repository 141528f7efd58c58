# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Building the network. Everything made here is found again by down.sh in
# $STATE or through it, however early we are interrupted:
#
#   scenario    what is up, or was about to be
#   names       our files in /run/netns
#   complete    it is all there
#   native      ... with ports ready for native XDP
#   ns/         a private tmpfs: HOST/{mnt,uts,net} hold the namespaces

# try OBJECT CMD...: CMD's error message becomes ours. Commands that are tested
# run without `set -e`, so functions called in this way carry on with &&
# themselves.
try() {
	local object=$1 said
	shift
	said=$("$@" 2>&1) || complain 1 "$object" "${said:-$1 failed}" \
		"${hint:-topology/topo down, then again}"
}

up() { # SCENARIO NATIVE
	need_programs "$1" "$2"
	lock
	if is_up && [[ $(running) != "$1" ]]; then
		complain 1 "up $1" "$(running) is up" \
			"topology/topo down, or TOPO_RUN=x topology/topo up $1"
	fi
	if is_up; then
		trap - INT TERM HUP
	else
		take_down # left by a run that was killed
		lock
		trap 'undo $?' EXIT
		trap 'undo 130' INT
		trap 'undo 143' TERM
		trap 'undo 129' HUP
		build "$1"
	fi
	[[ ! $2 || -e $STATE/native ]] || prepare_native
	trap - EXIT
}

undo() { # STATUS
	trap '' INT TERM HUP # a network that is half taken down is useless
	trap - EXIT
	wait || true # at_once: what they make, we remove
	take_down || true
	exit "$1"
}

build() { # SCENARIO
	echo "$1" >"$STATE/scenario"
	hint="TOPO_RUN=x topology/topo up $1" try "up $1" reserve_names
	mkdir "$STATE/ns"
	mount -t tmpfs -o mode=0700 l3dsr-topo "$STATE/ns"
	# The kernel refuses to bind a mount namespace where mounts propagate.
	mount --make-private "$STATE/ns"
	at_once make_host "$WIRES" "${HOSTS[@]}"
	try "connect the hosts" connect
	at_once configure "${HOSTS[@]}"
	wait_usable "$1"
	at_once run_services "${HOSTS[@]}"
	at_once wait_settled "${HOSTS[@]}"
	touch "$STATE/complete"
}

# All names at once and under one lock with remove_names, so that of two runs
# one sees the other's names. Must not be interrupted between making names and
# noting them.
reserve_names() (
	trap '' INT TERM HUP
	exec 8</run
	flock 8
	local h
	for h in "$WIRES" "${HOSTS[@]}"; do
		if [[ -e /run/netns/$(netns "$h") ]]; then
			echo "network namespace $(netns "$h") exists already"
			return 1
		fi
	done
	# Mounted as ip-netns(8) would; else its next `add` would cover our files.
	# By the name l3dsr-topo, the last run sees that the directory is ours.
	if [[ ! -d /run/netns ]]; then
		mkdir /run/netns &&
			mount -t tmpfs -o mode=0755 l3dsr-topo /run/netns &&
			mount --make-shared /run/netns || return 1
	fi
	for h in "$WIRES" "${HOSTS[@]}"; do
		netns "$h" >>"$STATE/names" &&
			: >"/run/netns/$(netns "$h")" || return 1
	done
)

# at_once CMD HOST...: CMD HOST for each, four at a time. If one fails, it has said
# why.
at_once() {
	local h begun=()
	for h in "${@:2}"; do
		((${#begun[@]} < 4)) || {
			wait "${begun[0]}" || exit
			begun=("${begun[@]:1}")
		}
		"$1" "$h" &
		begun+=($!)
	done
	for h in "${begun[@]}"; do wait "$h" || exit; done
}

make_host() { # HOST
	try "make host $1" make_namespaces_of "$1"
}

make_namespaces_of() { # HOST
	local ns=$STATE/ns/$1
	mkdir "$ns" && touch "$ns/mnt" "$ns/uts" "$ns/net" &&
		make_namespaces "$ns" "$HERE/lib/host.sh" "$1" \
			"$SCENARIO_DIR/services.yaml" &&
		mount --bind "$ns/net" "/run/netns/$(netns "$1")"
}

# make_namespaces DIR CMD...: CMD runs in them; DIR's files keep them.
# A mount namespace may be bound only into one that is older, and Linux 6.18
# tells the age by numbers that each CPU draws from a lot of its own: in a young
# namespace (a container's) it is refused on some CPUs, and not on others.
make_namespaces() {
	local ns=$1 cpu said on=()
	shift
	for cpu in any /sys/devices/system/cpu/cpu[0-9]*; do
		[[ $cpu == any ]] || on=(taskset -c "${cpu##*/cpu}")
		said=$("${on[@]}" unshare --mount="$ns/mnt" \
			--uts="$ns/uts" --net="$ns/net" "$@" 2>&1 9<&-) && return
		[[ $said == *"/mnt failed: Invalid argument"* ]] || break
		umount "$ns/uts" "$ns/net" 2>/dev/null || :
	done
	echo "$said"
	return 1
}

# Bridges, and a veth pair for each interface. Bridges have no address, no
# opinion on multicast (snooping would eat neighbour solicitations until the
# first report), and no firewall.
connect() {
	local s h i seg mac
	# shellcheck disable=SC2016
	enter "$WIRES" sh -c 'cd /proc/sys/net
		for f in ipv6/conf/all ipv6/conf/default; do
			echo 1 >$f/disable_ipv6
		done
		for f in bridge/bridge-nf-call-*; do
			[ ! -e $f ] || echo 0 >$f
		done' || return 1
	{
		for s in "${SEGMENTS[@]}"; do
			echo "link add $s type bridge stp_state 0 mcast_snooping 0"
			echo "link set $s up"
		done
		for h in "${HOSTS[@]}"; do
			while read -r i seg mac; do
				[[ $i ]] || continue
				# Native XDP needs as many rx queues as the peer has tx
				# queues.
				echo "link add $h-$i numtxqueues 1 numrxqueues 1" \
					"type veth peer name $i address $mac" \
					"numtxqueues 1 numrxqueues 1 netns $(netns "$h")"
				echo "link set $h-$i master $seg up"
			done <<<"${IFACES[$h]}"
		done
	} | ip -n "$(netns "$WIRES")" -batch -
}

configure() { # HOST
	try "set up host $1" set_up "$1"
}

set_up() { # HOST
	local i rest
	{
		echo "link set lo up"
		while read -r i rest; do
			[[ ! $i ]] || echo "link set $i up"
		done <<<"${IFACES[$1]}"
		while read -r i rest; do
			[[ ! $i ]] || echo "address add $rest dev $i"
		done <<<"${ADDRESSES[$1]}"
		echo "${ROUTES[$1]}"
	} | ip -n "$(netns "$1")" -batch - || return 1
	# shellcheck disable=SC2016
	[[ ! ${SYSCTLS[$1]} ]] || enter "$1" sh -c 'cd /proc/sys
		while read -r key value; do
			[ ! "$key" ] || echo "$value" >"$key" || exit
		done' <<<"${SYSCTLS[$1]}"
}

# Carrier comes a moment after `up`; until then a bridge port forwards nothing
# and IPv6 addresses are tentative.
wait_usable() { # SCENARIO
	local h want=0
	for h in "${HOSTS[@]}"; do
		want=$((want + $(grep -c . <<<"${IFACES[$h]}")))
	done
	eventually 10 usable "$want" || complain 1 "up $1" \
		"the links do not come up" "dmesg"
}

usable() { # PORTS
	local h
	[[ $(bridge -n "$(netns "$WIRES")" link | grep -c 'state forwarding') == \
		"$1" ]] || return 1
	for h in "${HOSTS[@]}"; do
		[[ ! $(ip -n "$(netns "$h")" -6 address show tentative) ]] || return 1
	done
}

run_services() { # HOST
	local cmd
	while read -r cmd; do
		[[ $cmd ]] || continue
		eval "cmd=($cmd)"
		enter "$1" "${cmd[@]}" </dev/null ||
			complain 1 "run ${cmd[0]##*/} on $1" "it failed, see above" \
				"topology/topo help"
	done <<<"${RUNS[$1]}"
}

wait_settled() { # HOST
	local cmd
	while read -r cmd; do
		[[ $cmd ]] || continue
		eval "cmd=($cmd)"
		eventually 30 enter "$1" "${cmd[@]}" </dev/null ||
			complain 1 "wait for $1" "${cmd[*]} does not succeed" \
				"topology/topo up $(running)"
	done <<<"${SETTLED[$1]}"
}

# Native XDP on veth: frames that it sends (XDP_TX, redirect) reach the other
# end only if that has an XDP program too; and they have lost the note that
# their checksum is still to be filled in, so it must be filled in before they
# arrive.
prepare_native() {
	local h i rest port obj=$ROOT/build/topology/xdp_pass.bpf.o
	for h in "${HOSTS[@]}"; do
		[[ ${XDP[$h]} ]] || continue
		while read -r i rest; do
			[[ $i ]] || continue
			port=$h-$i
			try "turn off checksum offload of $port" \
				enter "$WIRES" ethtool -K "$port" tx off
			# before 5.18 XDP has no fragments
			enter "$WIRES" ip link set dev "$port" xdpdrv obj "$obj" \
				sec xdp.frags 2>/dev/null ||
				try "attach XDP to $port" enter "$WIRES" \
					ip link set dev "$port" xdpdrv obj "$obj" sec xdp
		done <<<"${IFACES[$h]}"
	done
	touch "$STATE/native"
}

need_programs() { # SCENARIO NATIVE
	local need program package commands="${RUNS[*]}"
	need="ip:iproute2 bridge:iproute2 nsenter:util-linux unshare:util-linux
		flock:util-linux hostname:hostname"
	# a scenario that starts nothing needs neither
	[[ ! ${commands// /} ]] || need+=" nginx:nginx /usr/bin/python3:python3"
	need+=" ${NEEDS[*]}"
	[[ ! $2 ]] || need+=" ethtool:ethtool make:make clang:clang gcc:gcc"
	for program in $need; do
		package=${program#*:} program=${program%:*}
		command -v "$program" >/dev/null || complain 1 "up $1" \
			"no $program here ($package)" "make deps"
	done
	[[ ! $2 ]] || try "build xdp_pass.bpf.o" as_owner make -s -C "$HERE"
}

# What is built under sudo is given to the caller if the tree belongs to the
# caller.
as_owner() {
	if [[ ${SUDO_UID:-0} != 0 && $(stat -c %u "$ROOT") == "$SUDO_UID" ]]; then
		setpriv --reuid="$SUDO_UID" --regid="$SUDO_GID" --clear-groups "$@"
	else
		"$@"
	fi
}
