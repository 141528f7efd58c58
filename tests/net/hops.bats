#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# topo hops: the picture says what was on the wires, and, where a request ends,
# where. What tcpdump says of the same packets is the judge of its checksums.

bats_require_minimum_version 1.5.0
load lib

setup_file() {
	network
	attach
	# all next hops are resolved, so xdp_lbr itself sends even the first
	# packet
	answers "$VIP4" 40 | shared 40 4 36
	answers "$VIP6" 40 | shared 40 4 36
}

teardown_file() {
	network_down
}

teardown() {
	sniff_end
	[[ ! ${changed-} ]] || attach
	[[ ! ${another-} ]] || TOPO_RUN=$another network_down
}

# draw [OPTION...]: draws the picture into $output and $picture, and its status
draw() {
	picture=$BATS_TEST_TMPDIR/picture
	run "$TOPO" hops "$@"
	echo "$output"
	echo "$output" >"$picture"
}

# numbered: the place of each hop, one per line
numbered() {
	sed -nE 's/^ *[0-9]+  (.*[^ ])  +[0-9]+ us.*/\1/p' "$picture"
}

# addressed: "SOURCE > DESTINATION TTL" of each packet that is drawn
addressed() {
	sed -nE 's/ \[[^]]*\]//g; s/\*//g
		s/^ +IPv[46] +([^ ]+)  >  ([^ ]+) +(TTL|hop limit) ([0-9]+).*/\1 > \2 \4/p' \
		"$picture"
}

# words LAYER: the word at each checksum of that layer
words() {
	sed -nE "s/^ +$1 .* checksum \*?[0-9a-f]{4} ([a-z]+)\$/\1/p" "$picture" | xargs
}

# answering: the backend that is in the picture
answering() {
	grep -oE 'backend0[xy] answered from the VIP' "$picture" | cut -d' ' -f1
}

# whole VIP CLIENT BACKEND-PREFIX: the picture has the whole path, there and
# back, and no more
whole() {
	local name address
	((status == 0))
	name=$(answering)
	[[ $name == backend0x ]] && address=${3}3 || address=${3}4
	diff <(numbered) - <<-EOF2
		$CLIENT eth0 sends
		$LB eth0 receives
		$LB eth0 sends
		$ROUTER eth0 receives
		$ROUTER eth1 sends
		$name eth0 receives
		the kernel of $name gets
		$name eth0 sends
		$ROUTER eth1 receives
		$ROUTER eth0 sends
		$CLIENT eth0 receives
	EOF2
	diff <(addressed) - <<-EOF2
		$2 > $1 64
		$2 > $address 63
		$2 > $address 62
		$2 > $1 62
		$1 > $2 64
		$1 > $2 63
	EOF2
	[[ $output == *"the answer passed no load balancer"* ]]
}

@test "hops: the SYN and its answer, from hop to hop, IPv4" {
	draw
	whole "$VIP4" 172.17.0.4 172.19.0.
	[[ $(words TCP) == "true kept kept true true true" ]]
	[[ $(words IPv4) == "true true true true true true" ]]
	# behind the LB, the frame has the LB's own MAC address and the router's
	grep -A 1 "$LB eth0 sends" "$picture" |
		grep "\*$(on "$LB" cat /sys/class/net/eth0/address) $LB eth0  > "
	grep -A 1 "$LB eth0 sends" "$picture" |
		grep "\*$(on "$ROUTER" cat /sys/class/net/eth0/address) $ROUTER eth0"
}

@test "hops: the SYN and its answer, from hop to hop, IPv6" {
	draw -6
	whole "$VIP6" 2001:db8:17::4 2001:db8:19::
	[[ $(words TCP) == "true kept kept true true true" ]]
}

@test "hops: a device of the host itself, without a port on the wires, is left out" {
	on "$LB" ip link add own0 type veth peer name own1
	draw
	on "$LB" ip link del own0
	whole "$VIP4" 172.17.0.4 172.19.0.
}

@test "hops: the first packet with data, each way" {
	draw --data
	whole "$VIP4" 172.17.0.4 172.19.0.
	(($(grep -c 'TCP .*PSH-ACK, [0-9]* bytes' "$picture") == 6))
	[[ $(words TCP) == "true kept kept true true true" ]]
}

@test "hops: a datagram and its answer, IPv4 and IPv6" {
	draw --udp
	whole "$VIP4" 172.17.0.4 172.19.0.
	[[ $(words UDP) == "true kept kept true true true" ]]
	draw --udp -6
	whole "$VIP6" 2001:db8:17::4 2001:db8:19::
	[[ $(words UDP) == "true kept kept true true true" ]]
}

# agrees CAPTURE VERDICT HOP: the first SYN in the capture equals the picture at that hop
agrees() {
	local sum
	sum=$(sniffed "$1" | grep -m 1 'Flags \[S\]' |
		sed -nE "s/.*Flags.* cksum 0x([0-9a-f]{4}) \($2[) ].*/\1/p")
	[[ $sum ]]
	grep -A 3 "  $3 " "$picture" | grep " checksum $sum "
}

@test "hops: tcpdump sees the same checksums, and judges them the same" {
	local port=40000
	sniff client wires "$CLIENT-eth0" "src port $port"
	sniff router wires "$ROUTER-eth1" "src port $port"
	draw -p "$port"
	((status == 0))
	wait_for 5 seen client 'Flags \[S\]'
	wait_for 5 seen router 'Flags \[S\]'
	agrees client correct "$CLIENT eth0 sends"
	agrees router incorrect "$ROUTER eth1 sends"
	run ! agrees router correct "$ROUTER eth1 sends"
}

# values: the addresses, TTLs and checksums in the text, without marks
values() {
	sed -n '/^The /,/^$/p' "$picture" | tr -d '*' |
		grep -oE '([0-9a-f]{2}:){5}[0-9a-f]{2}|[0-9]+(\.[0-9]+){3}|checksum [0-9a-f]{4} [a-z]+|TTL [0-9]+' |
		sort -u
}

# drawn FILE: the same values in an SVG; fails if it is not valid XML
drawn() {
	/usr/bin/python3 - "$1" <<-'EOP' | sort -u
		import re, sys
		import xml.etree.ElementTree as ET

		root = ET.parse(sys.argv[1]).getroot()
		assert not root.findall(".//{*}script")
		text = " ".join(t.text for t in root.findall(".//{*}text"))
		text = text.replace("* ", "")
		for found in re.finditer(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}|\d+(?:\.\d+){3}"
		                         r"|checksum +[0-9a-f]{4} [a-z]+|TTL +\d+", text):
		    print(re.sub(" +", " ", found[0]))
	EOP
}

@test "hops: the SVG is XML and holds what the text holds" {
	draw --svg "$BATS_TEST_TMPDIR/svg"
	((status == 0))
	drawn "$BATS_TEST_TMPDIR/svg" >"$BATS_TEST_TMPDIR/drawn"
	values >"$BATS_TEST_TMPDIR/values"
	# Four MAC addresses at least, five checksums, three TTLs
	(($(wc -l <"$BATS_TEST_TMPDIR/values") > 12))
	# the heads of the lanes show more addresses than the packet has
	comm -13 "$BATS_TEST_TMPDIR/drawn" "$BATS_TEST_TMPDIR/values" | run ! grep .
	comm -23 "$BATS_TEST_TMPDIR/drawn" "$BATS_TEST_TMPDIR/values" |
		run ! grep -v '^172\.'
	drawn "$ROOT/topology/l3dsr/hops.svg" | grep -x 'TTL 62'
}

@test "hops: where xdp_bkd is not attached, nothing restored the VIP" {
	local backend
	changed=1
	for backend in "${BACKENDS[@]}"; do bkd "$backend" down >/dev/null; done
	draw --svg "$BATS_TEST_TMPDIR/svg"
	((status == 3))
	[[ $(numbered | tail -n 1) == "the kernel of backend0"[xy]" gets" ]]
	[[ $output == *"nothing restored the VIP: there is no answer"* ]]
	[[ $output == *"make -C Backend"* && $output != *"The answer"* ]]
	grep -q 'nothing restored the VIP' "$BATS_TEST_TMPDIR/svg"
	# The kernel accepts a checksum that is still to be filled in.
	draw --offload
	((status == 3))
	[[ $output == *"takes no answer from another"* ]]
	attach
	draw
	((status == 0))
}

@test "hops: where xdp_lbr is not attached, no packet leaves the LB" {
	changed=1
	lbr down >/dev/null
	draw
	((status == 3))
	[[ $(numbered | tail -n 1) == "the kernel of $LB gets" ]]
	[[ $output == *"nothing leaves $LB; there is no answer"* ]]
	[[ $output == *"make -C LoadBalancer"* ]]
}

@test "hops: an answer through the LB is reported as no direct return" {
	on "$ROUTER" ip route replace 172.17.0.4 via 172.17.0.2
	draw
	on "$ROUTER" ip route del 172.17.0.4
	[[ $output == *"the answer passed $LB: this is no direct return"* ]]
}

@test "hops: if the router has no route to the backends, the path ends there" {
	on "$ROUTER" ip route add blackhole 172.19.0.3/32
	on "$ROUTER" ip route add blackhole 172.19.0.4/32
	draw
	on "$ROUTER" ip route del blackhole 172.19.0.3/32
	on "$ROUTER" ip route del blackhole 172.19.0.4/32
	((status == 3))
	[[ $output == *"nothing leaves $ROUTER; there is no answer"* ]]
}

# offloads: the offload settings of every interface where hops may change them
offloads() {
	local host
	for host in "$CLIENT" "${BACKENDS[@]}"; do
		on "$host" ethtool -k eth0
	done
}

offload_is_off() {
	on "$CLIENT" ethtool -k eth0 | grep -q 'tx-checksumming: off'
}

# ended NUMBER: ends hops by that signal while its curl waits for an answer
ended() {
	local pid status=0
	/usr/bin/python3 - "$1" "$TOPO" hops >/dev/null 2>&1 3>&- <<-'EOP' &
		import os, signal, sys

		os.setsid()
		signal.signal(int(sys.argv[1]), signal.SIG_DFL)
		os.execv(sys.argv[2], sys.argv[2:])
	EOP
	pid=$!
	wait_for 60 offload_is_off
	wait_for 20 pgrep -s "$pid" -x curl
	kill -"$1" "$pid"
	wait "$pid" || status=$?
	((status == 128 + $1))
	[[ ! $(pgrep -s "$pid") ]]
	diff "$BATS_TEST_TMPDIR/offloads" <(offloads)
}

@test "hops: it puts back what it changes, also when it is ended" {
	offloads >"$BATS_TEST_TMPDIR/offloads"
	grep -q 'tx-checksumming: on' "$BATS_TEST_TMPDIR/offloads"
	draw
	((status == 0))
	diff "$BATS_TEST_TMPDIR/offloads" <(offloads)
	changed=1
	lbr down >/dev/null
	ended 2
	ended 15
	ended 1
}

@test "hops: impossible requests are refused" {
	another=none$$
	TOPO_RUN=$another run -1 "$TOPO" hops
	[[ $output == "topo: cannot draw hops: no scenario is up"*"try: topology/topo up" ]]
	run -1 "$TOPO" hops twolegged
	[[ $output == *"l3dsr is up"* ]]
	run -1 "$TOPO" hops -f nobody
	[[ $output == *"no such host"* ]]
	run -2 "$TOPO" hops --nonsense
	run -2 "$TOPO" hops -p 65536
	run -1 "$TOPO" hops --svg /nowhere/svg
	[[ $output == *"cannot write /nowhere/svg"* ]]
}

# elsewhere MODE [topo's options] SCENARIO: hops in a network of its own
elsewhere() {
	local host
	network "${@:2}"
	another=$TOPO_RUN
	attach "$1"
	for host in "${BACKENDS[@]}"; do
		on "$LB" ping -q -c 1 "$(on "$host" ip -4 -j address show eth0 |
			jq -r '.[].addr_info[0].local')" >/dev/null
	done
}

@test "hops: native: a missing checksum and a lost packet are noticed" {
	elsewhere native --native
	answers "$VIP4" 40 >/dev/null
	draw
	whole "$VIP4" 172.17.0.4 172.19.0.
	[[ $output == *"xdp_lbr wrote 172.19.0."* ]]
	# the port fills in the checksum that the client left, before xdp_lbr
	# sees it
	draw --offload
	((status == 0))
	[[ $(words TCP) == "partial true kept kept true partial partial" ]]
	on wires ethtool -K "$LB-eth0" tx on
	draw --offload
	((status == 3))
	[[ $(words TCP) == *unfilled* && $output == *"will drop this packet"* ]]
	# a port without a program drops what xdp_lbr sends
	on wires ip link set dev "$LB-eth0" xdpdrv off
	draw
	((status == 3))
	[[ $(numbered | tail -n 1) == "$LB eth0 receives" ]]
	[[ $output == *"nothing leaves $LB"*"topology/topo up --native"* ]]
}

@test "hops: an LB with two interfaces" {
	elsewhere generic twolegged
	draw
	((status == 0))
	[[ $(numbered | sed -n 3p) == "$LB eth1 sends" ]]
	[[ $(addressed | cut -d' ' -f4 | xargs) == "64 63 63 64 63" ]]
}

@test "hops: a client in the backends' subnet" {
	elsewhere generic samesubnet
	draw --from client0z
	((status == 0))
	[[ $(addressed | cut -d' ' -f4 | xargs) == "64 63 62 61 61 64" ]]
	[[ $(numbered | tail -n 1) == "client0z eth0 receives" ]]
	(($(numbered | grep -c "$ROUTER") == 4))
}
