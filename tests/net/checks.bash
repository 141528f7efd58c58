# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# checks.bash - a network whose services are checked, and a second web server on
# a backend, which can be asked what the checks are not

# shellcheck disable=SC2154 # what lib.bash sets
# shellcheck disable=SC2119,SC2120 # the tests give `second` options

# shellcheck disable=SC2034 # the tests use them, too
X=backend0x X4=172.19.0.3 X6=2001:db8:19::3

setup_file() {
	network
	attach generic
	on "$X" openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=x \
		-keyout /run/key -out /run/cert 2>/dev/null
	# The same application, on a port that is no service's.
	nginx_conf second >"$BATS_FILE_TMPDIR/second.conf" <<-'EOF'
		server {
			listen 8080;
			listen [::]:8080;
			listen 443 ssl;
			ssl_certificate /run/cert;
			ssl_certificate_key /run/key;
			location / { return 200 "fine"; }
		}
	EOF
	second
}

# second [nginx's options]
second() {
	on "$X" nginx -p /run/nginx/ -c "$BATS_FILE_TMPDIR/second.conf" -e error2.log "$@" 3>&-
}

teardown_file() {
	network_down
}

# All four services with checks by HTTP and UDP; "$@": more sed expressions
setup() {
	FILE=$BATS_TEST_TMPDIR/services.yaml
	services "$FILE" \
		"s/^\( *\)protocol: tcp/&\n\1check: {type: http, $OFTEN}/" \
		"s/^\( *\)protocol: udp/&\n\1check: {type: udp, send: hello, body: hello, $OFTEN}/"
	lbr apply "$FILE" >/dev/null
}

teardown() {
	run_end
	services "$BATS_TEST_TMPDIR/plain.yaml"
	# With --now, so that backends that one test removes do not drain in the
	# next.
	lbr apply --now "$BATS_TEST_TMPDIR/plain.yaml" >/dev/null
}

states() { # ADDRESS: the state of that backend, in all services
	lbr show -j backends |
		jq -r --arg address "$1" '.backends[] | select(.backend == $address).state' |
		sort -u
}

are() { # STATE ADDRESS...: in all services
	local address
	for address in "${@:2}"; do [[ $(states "$address") == "$1" ]] || return 1; done
}

# is_also STATE ADDRESS: in at least one service
is_also() {
	grep -qx "$1" <<<"$(states "$2")"
}

# found ADDRESS WORDS: what the last check of port 514 found
found() {
	look /status |
		jq -e --arg backend "$1" --arg found "$2" 'any(.checks[];
			.backend == $backend and .port == 514 and
			"\(.up) \(.path) \(.application) \(.why // "")" == $found)' >/dev/null
}
