#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run_tests.sh BUILD [check_NAME...] -- runs BUILD/tests/check_*, all of them and the fuzz targets' corpora, or those that
# are named, with a time limit each, as many at once as there are cores.  Prints name, seconds and result of each, and the
# whole output of those that failed.  A program that crashes or runs out of time counts as one failure beside what it
# reported.  The last line is `N passed, M failed`; exit status 1 if M > 0.
set -euo pipefail
build=${1:?usage: run_tests.sh BUILD [check_NAME...]}
shift
limit=${FLOW_TEST_SECONDS:-240}
logs=$build/test-logs
rm -rf "$logs"
mkdir -p "$logs"

run_one() {
  local program=$1 name started=$EPOCHREALTIME code=0
  name=${program##*/}
  timeout --kill-after=5 "$limit" "$program" >"$logs/$name.log" 2>&1 </dev/null || code=$?
  # Of all lines like "97%: Checks: 31, Failures: 1, Errors: 0": how many ran, how many failed.
  awk -v name="$name" -v code="$code" -v from="$started" -v to="$EPOCHREALTIME" -v count="$logs/$name.count" '
    match($0, /Checks: [0-9]+, Failures: [0-9]+, Errors: [0-9]+/) {
      split(substr($0, RSTART, RLENGTH), part, /[^0-9]+/)
      ran += part[2]; failed += part[3] + part[4]
    }
    END {
      passed = ran - failed
      word = "ok"
      if (code == 124 || code == 137) { word = "out of time"; failed++ }
      else if (code > 125) { word = "crashed (exit " code ")"; failed++ }
      else if (code != 0) { word = "failed"; if (failed == 0) failed++ }
      else if (ran == 0) { word = "failed: no test ran"; failed++ }
      else if (failed) word = "failed"
      printf "%-28s %6.1f s %5d passed %3d failed  %s\n", name, to - from, passed, failed, word
      print passed, failed >count
    }' "$logs/$name.log"
  # What was left out, and why, once for each reason.
  sed -n 's/^skipped: *//p' "$logs/$name.log" | sed 's/^[^ ]* ([^)]*): //' | sort | uniq -c | sed "s/^ *\([0-9]*\) /$(printf '%-28s' '') skipped (\1): /"
}
export LC_ALL=C.UTF-8
export -f run_one
export limit logs

programs=("${@/#/$build/tests/}")
[ $# -gt 0 ] || mapfile -t programs < <(find "$build/tests" -maxdepth 1 -name 'check_*' -type f -executable | sort)
[ "${#programs[@]}" -gt 0 ] || { echo "no tests in $build/tests"; echo "0 passed, 1 failed"; exit 1; }
# shellcheck disable=SC2016
printf '%s\n' "${programs[@]}" | xargs -P "${FLOW_TEST_JOBS:-$(nproc)}" -I{} bash -c 'run_one "$1"' _ {}

# The fuzz targets replay their corpora: one test each, as CTest knows their arguments.
replayed=0 lost=0
while read -r verdict; do
  case $verdict in *Passed*) replayed=$((replayed + 1)) ;; *) lost=$((lost + 1)); echo "$verdict" ;; esac
done < <([ $# -gt 0 ] || ctest --test-dir "$build" -R '^(replay|fuzz)' --timeout "$limit" 2>&1 | grep -E '^ *[0-9]+/[0-9]+ Test' || true)
[ $# -gt 0 ] || printf '%-37s %5d passed %3d failed\n' "corpora of the fuzz targets" "$replayed" "$lost"
echo "$replayed $lost" >"$logs/corpora.count"

while read -r name passed failed; do
  [ "$failed" -eq 0 ] && continue
  printf '\n---- %s: %d passed, %d failed\n' "$name" "$passed" "$failed"
  [ ! -f "$logs/$name.log" ] || tail -n 200 "$logs/$name.log"
done < <(cd "$logs" && awk '{ name = FILENAME; gsub(/^\.\/|\.count$/, "", name); print name, $0 }' ./*.count)
awk '{ passed += $1; failed += $2 } END { printf "%d passed, %d failed\n", passed, failed; exit failed > 0 }' "$logs"/*.count
