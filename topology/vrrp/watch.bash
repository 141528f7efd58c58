# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# watch.bash - who has the VIPs, and what becomes of connections meanwhile; for
# demo.sh and tests/net/vrrp.bats, which have `on HOST CMD...`

vip=10.0.0.200
vip6=2001:db8:10::200

pair() { # HOST start|stop|kill [use_vmac]
	on "$1" topology/vrrp/pair.sh "${@:2}"
}

has_vips() { # HOST
	local all
	all=$(on "$1" ip -o address)
	[[ $all == *" $vip/"* && $all == *" $vip6/"* ]]
}

has_none() { # HOST
	local all
	all=$(on "$1" ip -o address)
	[[ $all != *" $vip/"* && $all != *" $vip6/"* ]]
}

wire() { # HOST up|down
	on wires ip link set "$1-eth0" "$2"
}

# watched HELD: HELD connections are held, and a hundred new ones begin each second
watched() {
	coproc talk {
		on user sh -c "exec topology/fleet/talk.py $vip $1 0.2 100 2>/run/broken"
	}
	advance
	gap
}

# tell WORD...: sets $said, what the connections answer
tell() {
	echo "$1" >&"${talk[1]}"
	read -rt 60 said <&"${talk[0]}"
}

# gap: sets $ms, the longest time without a new connection since the last time,
# and $served, how many each server has answered
gap() {
	tell gap
	# shellcheck disable=SC2034 # for who has asked
	read -r ms served <<<"$said"
}

# advance: each held connection gets another answer; sets $advanced, how many
advance() {
	tell advance
	# shellcheck disable=SC2034 # for who has asked
	advanced=${said% *}
}

# watched_end: sets $said: how many were held, asked, and broken
watched_end() {
	tell finish
	on user head -n 3 /run/broken
}
