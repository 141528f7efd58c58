#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# `make` on the hosts, in a copy of the tree that belongs to somebody and in
# which nothing has been built; root's `make` there is as sudo would call it.

# shellcheck disable=SC2030,SC2031,SC2154 # `run` and its friends

load lib
bats_require_minimum_version 1.5.0

setup_file() {
	export SUDO_UID=65534 SUDO_GID=65534 TREE
	network
	# not below a folder that only root may enter
	TREE=$(mktemp -d)
	chmod 755 "$TREE"
	tar -C "$ROOT" -c LoadBalancer Backend common topology Makefile |
		tar -x --no-same-owner -C "$TREE"
	chown -hR $SUDO_UID:$SUDO_GID "$TREE"
}

teardown_file() {
	network_down
	rm -rf "$TREE"
}

# make_on HOST ARGUMENT...: runs make on HOST, in its role's folder
make_on() {
	local folder=Backend
	[[ $1 != "$LB" ]] || folder=LoadBalancer
	on "$1" make --no-print-directory -C "$TREE/$folder" "${@:2}"
}

make_everywhere() {
	local host
	for host in "$LB" "${BACKENDS[@]}"; do
		make_on "$host" >/dev/null
	done
}

attached() { # HOST
	on "$1" ip -o link show dev eth0 | grep -o 'prog/xdp id [0-9]*'
}

# The last line is the one that a user is to copy.
ends_well() {
	local n=${#lines[@]}
	[[ ${lines[n - 1]} == "cat /sys/kernel/tracing/trace_pipe" ]]
}

@test "make on two hosts at once, in a tree that is not built" {
	local out=$BATS_TEST_TMPDIR/out pid
	make_on "$LB" >"$out.lb" 2>&1 3>&- &
	pid=$!
	make_on backend0x >"$out.backend" 2>&1 3>&- || {
		cat "$out.backend"
		wait $pid
		return 1
	}
	wait $pid || {
		cat "$out.lb"
		return 1
	}
	[[ $(tail -n 1 "$out.lb") == "cat /sys/kernel/tracing/trace_pipe" ]]
	[[ $(tail -n 1 "$out.backend") == "cat /sys/kernel/tracing/trace_pipe" ]]
	grep -q '^  eth0 *xdp_lbr *generic' "$out.lb"
	grep -q '^  eth0 *xdp_bkd *generic' "$out.backend"
	attached "$LB"
	attached backend0x
}

@test "files that make has built belong to the user who called it" {
	make_everywhere
	[[ -x $TREE/LoadBalancer/lbr && -x $TREE/Backend/bkd ]]
	[[ ! $(find "$TREE" ! -user "$SUDO_UID") ]]
}

@test "make on a host where everything is built: only attaches, and the VIP is served" {
	make_everywhere
	run -0 make_on backend0y
	echo "$output"
	[[ $output != *CC* ]]
	ends_well
	balanced "$VIP4" 40 4 36
	balanced "$VIP6" 40 4 36
}

@test "make traces new flows by default; TRACE= changes that" {
	make_everywhere
	[[ $(lbr show -j | jq -r .trace) == new ]]
	run -0 make_on "$LB" TRACE=off
	ends_well
	[[ $(lbr show -j | jq -r .trace) == off ]]
	run -0 make_on "$LB" TRACE=all
	[[ $(lbr show -j | jq -r .trace) == all ]]
	run -0 make_on "$LB"
	[[ $(lbr show -j | jq -r .trace) == new ]]
}

@test "CONFIG= names the file; a wrong file attaches nothing and changes nothing" {
	local file=$BATS_TEST_TMPDIR/file digest
	make_everywhere
	services "$file" 's/weight: 1/weight: 2/'
	run -0 make_on "$LB" CONFIG="$file"
	digest=$(lbr show -j | jq -r '."digest"')
	[[ $(lbr check "$file") == *"digest $digest" ]]
	echo 'vips: []' >>"$file"
	run make_on "$LB" CONFIG="$file"
	echo "$output"
	((status != 0))
	[[ $output == *"lbr: $file:"*"vips"* ]]
	[[ $output != *trace_pipe* ]]
	[[ $(lbr show -j | jq -r '."digest"') == "$digest" ]]
	balanced "$VIP4" 20 1 19
}

# without_file HOST CMD...: runs CMD while the host has no services.yaml
without_file() {
	local status=0
	on "$1" mv /etc/l3dsr/services.yaml /etc/l3dsr/away
	"${@:2}" || status=$?
	on "$1" mv /etc/l3dsr/away /etc/l3dsr/services.yaml
	return $status
}

@test "no file, but an address of the demo's network: takes the demo's services, and says so" {
	run -0 without_file "$LB" make_on "$LB"
	echo "$output"
	[[ $output == *"no /etc/l3dsr/services.yaml here"*"172.17.0.2"*"topology/l3dsr/services.yaml"* ]]
	ends_well
	make_on "$LB" detach
	on "$LB" ip address del 172.17.0.2/16 dev eth0
	run without_file "$LB" make_on "$LB" CONFIG=
	on "$LB" ip address add 172.17.0.2/16 dev eth0
	on "$LB" ip route replace 172.19.0.0/16 via 172.17.0.3
	echo "$output"
	[[ $output == *"2001:db8:17::2"* ]]
	((status == 0))
	make_on "$LB" detach
}

@test "no file and no address of the demo's network: refused, with what to do; attaches nothing" {
	run without_file "$CLIENT" make_on "$CLIENT"
	echo "$output"
	((status != 0))
	[[ $output == *"cannot choose the services: no /etc/l3dsr/services.yaml on this host"* ]]
	[[ $output == *"try: cp "*"CONFIG=FILE"* ]]
	[[ $output != *trace_pipe* ]]
	run ! on "$CLIENT" test -e /sys/fs/bpf/l3dsr
}

@test "packages missing: make names them, and the command that installs them" {
	run make_on "$LB" build CLANG=no-clang
	echo "$output"
	((status != 0))
	[[ $output == *"cannot build: not on this machine: no-clang"* ]]
	[[ $output == *"try: sudo make -C $TREE deps GROUP=build"* ]]
	run make_on "$LB" build CC="cc -nostdinc"
	((status != 0))
	[[ $output == *" bpf/libbpf.h yaml.h "* ]]
}

@test "IFACE= names an interface that does not exist: the error says so" {
	local id
	make_everywhere
	id=$(attached "$LB")
	run make_on "$LB" IFACE=nope
	echo "$output"
	((status != 0))
	[[ $output == *"lbr: cannot use interface 'nope': no such interface"* ]]
	[[ $output != *trace_pipe* ]]
	[[ $(attached "$LB") == "$id" ]]
}

@test "MODE= sets the mode" {
	run -0 make_on "$LB" MODE=native
	[[ $output == *"eth0: xdp_lbr attached, native (as asked; veth: "* ]]
	ends_well
	run -0 make_on "$LB" MODE=generic
	[[ $(lbr show -j | jq -r '.interfaces[].mode') == generic ]]
	run make_on "$LB" MODE=fast
	((status != 0))
	[[ $output == *"'fast'"* ]]
}

@test "make on a host that the file does not list: says so, and attaches nothing" {
	run make_on "$ROUTER"
	echo "$output"
	((status != 0))
	[[ $output == *"lists no backend with an address of this host (172.17.0.3 172.19.0.2 "* ]]
	[[ $output != *trace_pipe* ]]
	run ! attached "$ROUTER"
	run ! on "$ROUTER" test -e /sys/fs/bpf/l3dsr
}

@test "make detach undoes make; a second time does no harm" {
	make_everywhere
	run -0 make_on "$LB" detach
	run ! attached "$LB"
	run ! on "$LB" test -e /sys/fs/bpf/l3dsr
	run -0 make_on "$LB" detach
	run -0 make_on "$LB"
	balanced "$VIP4" 20 1 19
}

@test "make build, and make at the top, build and do nothing else" {
	on "$LB" make -C "$TREE/LoadBalancer" detach
	on "$LB" make -C "$TREE/LoadBalancer" build
	on "$LB" make --no-print-directory -C "$TREE"
	run ! attached "$LB"
	run ! on "$LB" test -e /sys/fs/bpf/l3dsr
}

@test "make clean detaches on this host, and removes what was built" {
	make_everywhere
	run -0 make_on backend0x clean
	run ! attached backend0x
	[[ ! -e $TREE/Backend/bkd && ! -e $TREE/build/Backend ]]
	[[ $(attached backend0y) ]]
	# the rest of the tree can be built and used again
	run -0 make_on backend0x
	ends_well
	[[ ! $(find "$TREE" ! -user "$SUDO_UID") ]]
}
