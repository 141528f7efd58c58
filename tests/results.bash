# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# results.bash - how results are counted and told, for tests/run and tests/tap
#
# Tests run side by side, so each result is a line in the folder $RESULTS: in
# `counts`, "passed N", "failed N" or "skipped N". What runs just now has a
# file in `running`, whose text says how far it is.

results_open() {
	RESULTS=$(mktemp -d)
	mkdir "$RESULTS/running"
	: >"$RESULTS/counts"
	export RESULTS
}

counted() { # KIND N
	echo "$1 $2" >>"$RESULTS/counts"
}

total() { # KIND
	awk -v kind="$1" '$1 == kind { n += $2 } END { print n + 0 }' \
		"$RESULTS/counts"
}

begins() { # NAME
	date +%s >"$RESULTS/running/${1//\//%}"
}

ends() { # NAME: prints how many seconds it took
	local since
	since=$(<"$RESULTS/running/${1//\//%}")
	rm -f "$RESULTS/running/${1//\//%}"
	echo $(($(date +%s) - since))
}

# skip NAME [WHY]: with CI=true, one that expected-skips does not name fails
skip() {
	counted skipped 1
	if [[ ${CI-} == true ]] && ! grep -qxF -- "$1" tests/expected-skips; then
		counted failed 1
		echo "  FAIL	$1: skipped, and tests/expected-skips does not list it"
	else
		echo "  SKIP	$1${2:+ ($2)}"
	fi
}

# heartbeat PID: while that process lives, prints every 40 s what runs and for
# how long, so that nobody has to ask whether the run hangs
heartbeat() {
	local name now
	while read -rt 40 <> <(:) || kill -0 "$1" 2>/dev/null; do
		now=$(date +%s)
		for name in "$RESULTS"/running/*; do
			[[ -e $name ]] || continue
			printf '%s (%d s)\n' "${name##*/}" $((now - $(<"$name")))
		done 2>/dev/null | tr % / | paste -sd, |
			sed 's/,/, /g; s/^/  ...	still at: /'
	done
}
