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

setup_file() {
	network
	attach generic
	get "$VIP4" >/dev/null
}

teardown_file() {
	network_down
}

setup() {
	FILE=$BATS_TEST_TMPDIR/services.yaml
	services "$FILE"
}

teardown() {
	prometheus_end
	run_end
}

# prometheus_begin: until it answers
prometheus_begin() {
	local own=$BATS_TEST_TMPDIR/prometheus
	cat >"$own.yml" <<-'EOF'
		global: {scrape_interval: 1s, scrape_timeout: 1s}
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

# targets: how each one is, as Prometheus says: "INSTANCE HEALTH" a line
targets() {
	on "$ROUTER" curl -sS "$API/targets" |
		jq -r '.data.activeTargets[] | "\(.labels.instance) \(.health)"' | sort
}

# query EXPR: the values, a line each; nothing where there is none
query() {
	on "$ROUTER" curl -sSG "$API/query" --data-urlencode "query=$1" |
		jq -r '.data.result[].value[1]'
}

@test "Prometheus: what it knows is what show says; a dead bkd run is missed by it alone" {
	local web='service="192.168.25.10:80",protocol="tcp"' before host packets
	command -v prometheus >/dev/null || skip 'no prometheus'
	for host in "$LB:172.17.0.2:8404" backend0x:172.19.0.3:8405 backend0y:172.19.0.4:8405; do
		run_of "${host%%:*}"
		RUN_OPTIONS="-l ${host#*:}" run_begin "$FILE"
	done
	prometheus_begin
	wait_for 20 eval '[[ $(targets) == "172.17.0.2:8404 up
172.19.0.3:8405 up
172.19.0.4:8405 up" ]]'
	before=$(query "lbr_service_packets_total{$web}")
	balanced "$VIP4" 40 5 35
	packets=$(lbr show -j services | jq '.services[] |
		select(.service == "192.168.25.10:80" and .protocol == "tcp").packets')
	((packets >= before + 40 * 4))
	wait_for 5 eval '[[ $(query "lbr_service_packets_total{$web}") == "$packets" ]]'
	for host in 172.19.0.3:backend0x 172.19.0.4:backend0y; do
		packets=$(reason restored "${host#*:}")
		((packets > 0))
		wait_for 5 eval '[[ $(query "bkd_packets_total{reason=\"restored\",instance=\"${host%:*}:8405\"}") == "$packets" ]]'
	done
	# Nothing is lost on the way to the backends.
	[[ $(query "sum(lbr_service_packets_total{$web}) - sum(bkd_service_packets_total{$web})") == 0 ]]
	[[ $(query 'count(count by (digest) ({__name__=~"(lbr|bkd)_file_info"}))') == 1 ]]

	run_of backend0x
	run_signal KILL
	wait_for 5 eval '[[ $(query "up{instance=\"172.19.0.3:8405\"}") == 0 ]]'
	balanced "$VIP4" 20 1 19
	[[ $(targets | grep -c ' up$') == 2 ]]
}
