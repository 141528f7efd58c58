# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# announce.bash - routing daemons and keepalived with the examples of
# docs/high-availability.md, as they are, in scenario fleet

PATH=$PATH:$ROOT/build/bird/usr/sbin:$ROOT/build/keepalived/usr/sbin
PATH=$PATH:$ROOT/build/exabgp/usr/sbin

# example WORDS: the block that follows these words on the page
example() {
	awk -v words="$1" '/^```/ { if (inside) exit; inside = near; next }
		inside { print } index($0, words) { near = 1 }
	' "$ROOT/docs/high-availability.md" | grep .
}

# daemon HOST NAME CMD...: runs it there until daemon_end HOST NAME
daemon() {
	# shellcheck disable=SC2016
	on "$1" bash -c 'mkdir -p /run/bird; echo $$ >"/run/$1.pid"; exec "${@:2}"' - \
		"${@:2}" >"$BATS_FILE_TMPDIR/$1.$2" 2>&1 3>&- &
}

# daemon_signal HOST NAME [SIGNAL]: and waits until it has ended
daemon_signal() {
	local pid
	pid=$(on "$1" cat "/run/$2.pid" 2>/dev/null) || return 0
	kill "-${3:-TERM}" "$pid" 2>/dev/null || return 0
	wait_for 10 eval "! kill -0 $pid 2>/dev/null"
}

daemon_end() {
	daemon_signal "$@"
	on "$1" rm -f "/run/$2.pid"
}

# bird_on HOST: starts bird with the file on stdin; it would wait 5 s before it
# connects
bird_on() {
	local conf=$BATS_FILE_TMPDIR/$1.bird.conf
	sed 's/bfd on;/& connect delay time 1;/' >"$conf"
	bird -p -c "$conf"
	daemon "$1" bird bird -f -c "$conf"
}

# as LAST: an example for lbdsr0a becomes that of the load balancer with this
# address
as() {
	sed "s/172\.17\.0\.2\b/172.17.0.$1/"
}

# lbr_run HOST FILE
lbr_run() {
	daemon "$1" lbr LoadBalancer/lbr run -l none -c "$2"
}

# hops: the last numbers of the addresses that the router sends the VIP to
hops() {
	on "$ROUTER" ip -j route show "$VIP4" |
		jq -r '[.[] | .gateway, (.nexthops // [])[].gateway | values] | sort |
			map(split(".")[3]) | join(" ")'
}

hops_are() {
	[[ $(hops) == "$1" ]]
}

# metric_is HOST METRIC: of the route that lbr has made there; "": there is none
metric_is() {
	[[ $(on "$1" ip -j route show table 107 | jq -r '[.[].metric] | join(" ")') == "$2" ]]
}

# announced_is HOST HOW
announced_is() {
	[[ $(lb "$1" show -j services | jq -r '[.services[].announced] | unique | join(" ")') == "$2" ]]
}

# announced_services KEYS: a file with one service, which is fit with all six
# backends
announced_services() {
	local last
	printf '%s\n' "announce: {$1}" 'handshake-grace: 0s' 'services:' \
		"- {vip: $VIP4, port: 80, minimum-up: 6, backends: ["
	for last in 3 4 5 6 7 8; do echo "    {address: 172.19.0.$last},"; done
	echo '  ]}'
}

# spoiled NAME [VERB]: the VIP of a load balancer is not fit, or fit again
spoiled() {
	lb "$1" "${2:-drain}" 172.19.0.8 >/dev/null 2>&1
}
