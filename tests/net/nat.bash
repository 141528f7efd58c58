# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# nat.bash - the network of the scenario imperial, whose servers have lost the
# VIP, and a file by nat for it

# shellcheck disable=SC2016,SC2034,SC2154 # for the tests; what lib.bash sets

VIP4=10.0.0.10
VIP6=2001:db8:10::10
SOURCE4=10.0.0.9
SOURCE6=2001:db8:10::9

setup_file() {
	local options=()
	[[ ${MODE-} != native ]] || options=(--native)
	network "${options[@]}" imperial
	local server
	for server in h2 h3; do
		on "$server" ip address flush dev lo scope global
		on "$server" sh -c 'head -c 1000000 /dev/zero |
			tr "\0" x >/run/nginx/files/big'
	done
	on h1 sh -c 'head -c 1000000 /dev/urandom >/run/big'
	file >"$BATS_FILE_TMPDIR/nat.yaml"
	on lb tee /run/nat.yaml <"$BATS_FILE_TMPDIR/nat.yaml" >/dev/null
}

setup() {
	export LB=lb CLIENT=h1
	since 5.12 || [[ $BATS_TEST_DESCRIPTION == 'refused: before'* ]] ||
		skip "no nat before Linux 5.12"
}

teardown() {
	run_end
}

teardown_file() {
	network_down
}

# file: both families; HTTP, a UDP echo, and a UDP port where nobody listens
file() {
	local port
	echo "claim: arp"
	echo "nat-source: [$SOURCE4, '$SOURCE6']"
	echo "services:"
	for port in "80" "7777, protocol: udp" "9, protocol: udp"; do
		cat <<-EOF
			- {vip: $VIP4, port: $port, forward: nat,
			   backends: [{address: 10.0.0.2}, {address: 10.0.0.3}]}
			- {vip: '$VIP6', port: $port, forward: nat,
			   backends: [{address: '2001:db8:10::2'}, {address: '2001:db8:10::3'}]}
		EOF
	done
}

up() {
	lbr up -m "${MODE:-generic}" -c /run/nat.yaml >/dev/null
}

# holds ADDRESS COUNT: opens so many connections, each answered; at a line on
# stdin each is asked again
holds() {
	on h1 "${PYTHON[@]}" -c '
import http.client, sys
address, count = sys.argv[1], int(sys.argv[2])
held = [http.client.HTTPConnection(address, 80, timeout=10) for _ in range(count)]
def ask():
    for each in held:
        each.request("GET", "/held")
        assert each.sock and each.getresponse().read()
    print("answered", flush=True)
ask()
for each in held:
    each.auto_open = 0
for line in sys.stdin:
    ask()
' "$@" 3>&-
}
