#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# A Prometheus beside them, on the router, asks `lbr run` and each `bkd run`.

# shellcheck disable=SC2016 # wait_for's eval

load lib
load run
load status
bats_require_minimum_version 1.5.0

API=http://127.0.0.1:9090/api/v1
WEB='vip="192.168.25.10",port="80",protocol="tcp"'

setup() {
	FILE=$BATS_TEST_TMPDIR/services.yaml
	services "$FILE"
}

teardown() {
	prometheus_end
	run_end
}

# prometheus_begin: starts it, and waits until it answers
prometheus_begin() {
	local own=$BATS_TEST_TMPDIR/prometheus
	cat >"$own.yml" <<-'EOF'
		global: {scrape_interval: 2s, scrape_timeout: 2s}
		scrape_configs:
		- job_name: lbr
		  static_configs: [{targets: ['172.17.0.2:8404']}]
		- job_name: bkd
		  static_configs: [{targets: ['172.19.0.3:8405', '172.19.0.4:8405']}]
	EOF
	# shellcheck disable=SC2016
	on "$ROUTER" bash -c 'echo $$ >"$1.pid"; exec prometheus --config.file="$1.yml" \
		--storage.tsdb.path="$1.data" --web.listen-address=127.0.0.1:9090' \
		- "$own" >"$own.out" 2>&1 3>&- &
	PROMETHEUS=$!
	wait_for 20 on "$ROUTER" curl -sSf -o /dev/null http://127.0.0.1:9090/-/ready
}

prometheus_end() {
	[[ ${PROMETHEUS-} ]] || return 0
	kill "$(<"$BATS_TEST_TMPDIR/prometheus.pid")" || :
	wait "$PROMETHEUS" || :
	PROMETHEUS=
}

# targets: the health of each target in Prometheus' words: "INSTANCE HEALTH"
# lines
targets() {
	on "$ROUTER" curl -sS "$API/targets" |
		jq -r '.data.activeTargets[] | "\(.labels.instance) \(.health)"' | sort
}

# query EXPR: the values, one per line; nothing if there are none
query() {
	on "$ROUTER" curl -sSG "$API/query" --data-urlencode "query=$1" |
		jq -r '.data.result[].value[1]'
}

# sent, restored HOST ADDRESS: Prometheus has the number that show prints
sent() {
	local packets
	packets=$(lbr show -j services | jq '.services[] |
		select(.vip == "192.168.25.10" and .port == 80 and .protocol == "tcp").packets')
	((packets >= $1)) && [[ $(query "lbr_service_packets_total{$WEB}") == "$packets" ]]
}

restored() {
	local packets
	packets=$(reason restored "$1")
	((packets > 0)) &&
		[[ $(query "bkd_packets_total{reason=\"restored\",instance=\"$2:8405\"}") == "$packets" ]]
}

# No packet is lost on the way to the backends.
nothing_lost() {
	[[ $(query "sum(lbr_service_packets_total{$WEB}) - sum(bkd_service_packets_total{$WEB})") == 0 ]]
}

up() { # HOW MANY
	(($(targets | grep -c ' up$') == $1))
}

@test "Prometheus has the same numbers as show; if bkd run dies, only its target is missing" {
	local before host
	command -v prometheus >/dev/null || skip 'no prometheus'
	for host in "$LB:172.17.0.2:8404" backend0x:172.19.0.3:8405 backend0y:172.19.0.4:8405; do
		run_of "${host%%:*}"
		RUN_OPTIONS="-l ${host#*:}" run_begin "$FILE"
	done
	prometheus_begin
	wait_for 20 up 3
	before=$(query "lbr_service_packets_total{$WEB}")
	balanced "$VIP4" 40 5 35
	wait_for 20 sent "$((before + 40 * 4))"
	wait_for 20 restored backend0x 172.19.0.3
	wait_for 20 restored backend0y 172.19.0.4
	wait_for 20 nothing_lost
	[[ $(query 'count(count by (digest) ({__name__=~"(lbr|bkd)_file_info"}))') == 1 ]]

	run_of backend0x
	run_signal KILL
	wait_for 20 eval '[[ $(query "up{instance=\"172.19.0.3:8405\"}") == 0 ]]'
	balanced "$VIP4" 20 1 19
	wait_for 20 up 2
}
