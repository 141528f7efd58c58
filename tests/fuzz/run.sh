#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh FUZZER SECONDS SEED [FLAG...]: one fuzzer's run, told in one line.
# Paths are from the top of the tree, where it goes.

set -u
fuzzer=$1 seconds=$2 seed=$3
shift 3
cd "$(dirname "$0")/../.." || exit
out=build/tests/fuzz
found=$out/$fuzzer.found
log=$out/$fuzzer.log
mkdir -p "$found"

"$out/$fuzzer" -max_total_time="$seconds" -seed="$seed" -timeout=5 \
	-artifact_prefix="$out/$fuzzer." "$@" \
	"$found" "tests/fuzz/corpus/${fuzzer#fuzz_}" >"$log" 2>&1
status=$?

seed=$(sed -n 's/^INFO: Seed: //p' "$log")
runs=$(sed -n 's/^Done \([0-9]*\) runs in \([0-9]*\) second.*/\1 runs in \2 s/p' \
	"$log")
if [ $status -eq 0 ] && [ -n "$runs" ]; then
	echo "$fuzzer: $runs, seed $seed: clean"
	exit 0
fi
input=$(sed -n "s/.*Test unit written to //p" "$log")
echo "$fuzzer: seed $seed: FAILED, input ${input:-none}, log $log"
exit 1
