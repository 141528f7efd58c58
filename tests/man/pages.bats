#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The manual says what the tools say of themselves: every verb and option of
# their --help, every check of doctor, every key of `check --help`, every reason
# of reason.h, every metric of metrics.c, every variable of host.mk, every exit
# status of role.h. Run after `make man`.

bats_require_minimum_version 1.5.0

ROOT=$(realpath "$BATS_TEST_DIRNAME/../..")
PAGES=(lbr.8 bkd.8 l3dsr.yaml.5)

setup_file() {
	cd "$ROOT" || return 1
	for page in "${PAGES[@]}"; do
		rendered "build/man/$page" >"$BATS_FILE_TMPDIR/$page"
	done
}

setup() {
	cd "$ROOT" || return 1
}

# rendered PAGE: as text, no line broken, a run of blanks a blank
rendered() {
	# overstruck letters are bold or underlined
	mandoc -Tascii -Owidth=1000 "$1" | sed -E 's/.\x08//g; s/ +/ /g; s/^ //'
}

# lacks PAGE: those lines of stdin that are no line of the page, nor the
# beginning of one
lacks() {
	local line
	while read -r line; do
		grep -qF -x -e "$line" "$BATS_FILE_TMPDIR/$1" ||
			grep -qF -e "$line " "$BATS_FILE_TMPDIR/$1" || echo "$line"
	done
}

lbr() {
	LoadBalancer/lbr "$@"
}

bkd() {
	Backend/bkd "$@"
}

# verbs TOOL: taken from its help
verbs() {
	"$1" help | sed -nE "s/^  $1 ([a-z]+).*/\1/p"
}

# usages TOOL: a line a verb
usages() {
	"$1" help | sed -nE "s/^  ($1 .*)/\1/p" | sed 's/|/ | /g'
}

# options TOOL: "-i, --interface IFACE", and its help, a line each
options() {
	local verb
	for verb in $(verbs "$1"); do
		"$1" "$verb" --help | sed -nE 's/^  (-[a-z], --.*)/\1/p' |
			sed 's/|/ | /g'
		"$1" "$verb" --help | grep -A 1 '^  -[a-z], --[^h]' |
			sed -nE 's/^ {8}(.*)/\u\1./p'
	done | sort -u
}

# reasons PROGRAM: "forwarded (XDP_TX)", a line each
reasons() {
	sed -nE "s/^REASON\(([a-z_]+), ([A-Z]+), .*IN_$1.*/\1 (XDP_\2)/p" \
		common/core/reason.h
}

# said CMD...: the lines that it prints; fails if there are none
said() {
	local lines
	lines=$("$@")
	[[ $lines ]] || return 1
	echo "$lines"
}

@test "mandoc finds nothing to warn of; it would" {
	run -0 mandoc -Tlint -W warning "${PAGES[@]/#/build/man/}"
	[[ ! $output ]]
	{
		cat build/man/lbr.8
		echo .Bl
	} >"$BATS_TEST_TMPDIR/lbr.8"
	run ! mandoc -Tlint -W warning "$BATS_TEST_TMPDIR/lbr.8"
}

@test "every verb and its usage" {
	for tool in lbr bkd; do
		said usages "$tool" >"$BATS_TEST_TMPDIR/usages"
		[[ ! $(lacks "$tool.8" <"$BATS_TEST_TMPDIR/usages") ]]
		said verbs "$tool" >"$BATS_TEST_TMPDIR/verbs"
		[[ ! $(lacks "$tool.8" <"$BATS_TEST_TMPDIR/verbs") ]]
	done
}

@test "every option" {
	for tool in lbr bkd; do
		said options "$tool" >"$BATS_TEST_TMPDIR/options"
		[[ ! $(lacks "$tool.8" <"$BATS_TEST_TMPDIR/options") ]]
	done
}

@test "every check of doctor" {
	for tool in lbr bkd; do
		# shellcheck disable=SC2016
		"$tool" doctor --help | sed -nE 's/^\| `([a-z-]+)` \| (.*) \|/\1 \u\2./p' |
			said cat >"$BATS_TEST_TMPDIR/checks"
		sed 's/\n/ /' "$BATS_FILE_TMPDIR/$tool.8" | tr -s '\n ' ' ' \
			>"$BATS_TEST_TMPDIR/page"
		while read -r line; do
			grep -qF -e "$line" "$BATS_TEST_TMPDIR/page"
		done <"$BATS_TEST_TMPDIR/checks"
	done
}

@test "every reason and its action, and none of the other program's" {
	for tool in lbr bkd; do
		said reasons "${tool^^}" >"$BATS_TEST_TMPDIR/reasons"
		diff "$BATS_TEST_TMPDIR/reasons" \
			<(grep -E '^[a-z_]+ \(XDP_[A-Z]+\)$' "$BATS_FILE_TMPDIR/$tool.8")
	done
}

@test "every metric of run, in its order; counters are called _total" {
	local tool
	for tool in LoadBalancer/lbr Backend/bkd; do
		sed -nE 's/^\t\{"([a-z_]+)", "(gauge|counter|histogram)",.*/\1 \2/p' \
			"${tool%/*}/verbs/metrics.c" | said cat >"$BATS_TEST_TMPDIR/metrics"
		[[ ! $(awk '($1 ~ /_total$/) != ($2 == "counter")' "$BATS_TEST_TMPDIR/metrics") ]]
		diff <(sed 's/ .*//' "$BATS_TEST_TMPDIR/metrics") \
			<(sed '1,/^METRICS/d' "$BATS_FILE_TMPDIR/${tool#*/}.8" |
				grep -oE "^${tool#*/}_[a-z_]+")
	done
}

@test "every key, its values and its default" {
	local key allowed default help
	while IFS='|' read -r _ key _ allowed default help _; do
		grep -E -A 2 "^$(tr -d '` ' <<<"$key")( |\$)" \
			"$BATS_FILE_TMPDIR/l3dsr.yaml.5" >"$BATS_TEST_TMPDIR/key"
		grep -qF "Allowed:${allowed% }. " "$BATS_TEST_TMPDIR/key"
		default=${default//[:.]/ }
		grep -qiF "${default# }" <(sed 's/[:.]/ /g' "$BATS_TEST_TMPDIR/key")
		[[ $help ]]
	done < <(said lbr check --help | grep '^| `')
	(($(grep -c 'Allowed:' "$BATS_FILE_TMPDIR/l3dsr.yaml.5") == \
		$(lbr check --help | grep -c '^| `')))
}

@test "every variable of make, every exit status" {
	for tool in lbr bkd; do
		said sed -nE 's/^([A-Z]+) \?=.*/\1/p' common/host.mk \
			>"$BATS_TEST_TMPDIR/words"
		said sed -nE 's/^\tEXIT_[A-Z]+ = ([0-9]),.*/\1/p' common/kernel/role.h \
			>>"$BATS_TEST_TMPDIR/words"
		[[ ! $(lacks "$tool.8" <"$BATS_TEST_TMPDIR/words") ]]
	done
}

@test "something missing from a page would be noticed" {
	local word
	for word in '-n, --dry-run' 'neighbour_unresolved (XDP_PASS)' \
		'lbr trace [off | new | all]' TRACE; do
		grep -vF -e "$word" "$BATS_FILE_TMPDIR/lbr.8" \
			>"$BATS_FILE_TMPDIR/less"
		[[ $(lacks less <<<"$word") == "$word" ]]
		[[ ! $(lacks lbr.8 <<<"$word") ]]
	done
}
