# SPDX-License-Identifier: Apache-2.0
# installed.sh -- what the tests of an installation share.  Sourced by bash with $build and $cc set: installs into a temporary
# prefix, where pkg-config, CMake and the loader find it, and goes to a folder that is gone at the end.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix
checks=0 failures=0

# check "a sentence" command...: every command of a function counts.  (Not as a condition: there bash ignores set -e.)
check() {
  local sentence=$1 code
  shift
  checks=$((checks + 1))
  (set -e; "$@") >"$work/log" 2>&1
  code=$?
  [ "$code" -ne 0 ] || return 0
  failures=$((failures + 1))
  echo "not so: $sentence"
  tail -n 30 "$work/log"
}

finish() {
  echo "$(((checks - failures) * 100 / checks))%: Checks: $checks, Failures: $failures, Errors: 0"
  [ "$failures" -eq 0 ]
}

install_it() { cmake --install "$build" --prefix "$prefix"; }
check "cmake --install puts everything below a prefix" install_it
[ "$failures" -eq 0 ] || { finish; exit 1; }
lib=$(dirname "$(find "$prefix" -name 'libflowrt.so' | head -n 1)")
export PKG_CONFIG_PATH=$lib/pkgconfig CMAKE_PREFIX_PATH=$prefix PATH=$prefix/bin:$PATH
export LD_LIBRARY_PATH=$lib
flags=(-Wall -Wextra -Werror -pedantic)
c="$cc -std=c99 ${flags[*]}"
cxx=$(command -v c++ || command -v g++ || command -v clang++-19 || true)
cd "$work" || exit 4

# model NAME SUFFIX: a program of examples/ as a file here.
model() { flowc "$root/examples/$1.flow" -o "$1.$2"; }

# plain NAME: builds an example here by the line that its source begins with, but for the compiler and its flags.
plain() {
  local line
  line=$(sed -n 's/^.*[ *] \(c\(c\|++\) .*\$(pkg-config .*)\) && .*/\1/p' "$root/examples/embed/$1"/main.c* | head -n 1)
  [ -n "$line" ]
  line=${line/#cc/$c}
  line=${line/#c++/$cxx ${flags[*]}}
  line=${line/ main.c/ $root/examples/embed/$1/main.c}
  echo "$line"
  eval "${line/ -o/ -I. -o}"
}
