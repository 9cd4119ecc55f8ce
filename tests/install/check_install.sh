#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_install.sh BUILD CC -- installs BUILD into a temporary prefix and uses it as a stranger would.
set -uo pipefail
build=$1 cc=$2
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix
checks=0 failures=0

# check "a sentence" command...
check() {
  local sentence=$1
  shift
  checks=$((checks + 1))
  if ! (set -e; "$@") >"$work/log" 2>&1; then
    failures=$((failures + 1))
    echo "not so: $sentence"
    tail -n 30 "$work/log"
  fi
}

install_it() { cmake --install "$build" --prefix "$prefix"; }
check "cmake --install puts everything below a prefix" install_it
[ "$failures" -eq 0 ] || { echo "0%: Checks: 1, Failures: 1, Errors: 0"; exit 1; }
lib=$(dirname "$(find "$prefix" -name 'libflowrt.so' | head -n 1)")
export PKG_CONFIG_PATH=$lib/pkgconfig CMAKE_PREFIX_PATH=$prefix PATH=$prefix/bin:$PATH
export LD_LIBRARY_PATH=$lib
flags=(-Wall -Wextra -Werror -pedantic)

# ---- the libraries ----
exports() { nm -D --defined-only "$lib/lib$1.so" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' | LC_ALL=C sort | diff "$here/$1.symbols" -; }
check "libflowrt exports exactly the symbols of its headers" exports flowrt
check "libflowc exports exactly the symbols of its header" exports flowc
soname() { readelf -d "$lib/libflowrt.so" | grep -q 'SONAME.*\[libflowrt\.so\.0\]' && readelf -d "$lib/libflowc.so" | grep -q 'SONAME.*\[libflowc\.so\.0\]'; }
check "the libraries have versioned sonames" soname
without_llvm() { ! readelf -d "$lib/libflowrt.so" | grep -i 'NEEDED.*llvm'; }
check "libflowrt does not need LLVM" without_llvm
small() { strip -o "$work/stripped.so" "$(readlink -f "$lib/libflowrt.so")" && [ "$(stat -c %s "$work/stripped.so")" -le 409600 ]; }
check "libflowrt has at most 400 kB without its symbols" small

# ---- the headers ----
headers() {
  local header
  for header in "$prefix"/include/flow/*.h; do
    printf '#include <flow/%s>\n' "$(basename "$header")" >"$work/one.$2"
    $1 "${flags[@]}" -fsyntax-only -I"$prefix/include" "$work/one.$2"
  done
}
check "every header stands alone in C99" headers "$cc -std=c99" c
cxx=$(command -v c++ || command -v g++ || command -v clang++-19 || true)
[ -z "$cxx" ] || check "every header stands alone in C++17" headers "$cxx -std=c++17" cpp

# ---- models ----
cd "$work" || exit 4
model() { flowc "$root/examples/$1.flow" -o "$1.$2"; }
check "the installed compiler makes a library" model moons so
check "the installed compiler makes an object" model rotation o
flowc sample "$root/examples/moons.flow" -n 5 --seed 1 -o expected.csv -q
tail -n +2 expected.csv | tr ',' ' ' >expected.txt

# example NAME SOURCE PROGRAM... -- by the plain line of its source, then by CMake; the two print the same.
example() {
  local name=$1 plain=$2
  shift 2
  eval "$plain"
  ./"$name" "$@" >"$name.out"
  cmake -G Ninja -S "$root/examples/embed/$name" -B "cmake-$name" >cmake.log
  cmake --build "cmake-$name" >>cmake.log
  [ "$name" = realtime ] || "cmake-$name/$name" "$@" | diff "$name.out" -
}
src=$root/examples/embed
c="$cc -std=c99 ${flags[*]}"
check "a C program loads a model and samples" example sample "$c $src/sample/main.c -o sample \$(pkg-config --cflags --libs flowrt)" moons.so 5
same_bits() { sed 's/ *log p.*//; s/ $//' sample.out | diff expected.txt -; }
check "its samples are those of the command" same_bits
check "a model can be linked in" example linked "$c -I. $src/linked/main.c rotation.o -o linked \$(pkg-config --cflags --libs flowrt)"
check "a control loop runs from a prepared solver" example realtime "$c $src/realtime/main.c -o realtime \$(pkg-config --cflags --libs flowrt)" moons.so 200
ticks() { [ "$(awk '{ n += $3 } END { print n }' realtime.out)" -eq 200 ]; }
check "its histogram counts every tick" ticks
check "text is compiled when the program runs" example text "$c $src/text/main.c -o text \$(pkg-config --cflags --libs flowc flowrt)"
bad_text() { ! ./text 'flow f { source normal(2) velocity nothing }' 2>bad.out && grep -q 'error\[E' bad.out; }
check "text with an error is shown with its place" bad_text
if [ -n "$cxx" ]; then
  check "a C++ program does the same" example cplusplus "$cxx -std=c++17 ${flags[*]} $src/cplusplus/main.cpp -o cplusplus \$(pkg-config --cflags --libs flowrt)" moons.so
  same_in_cplusplus() { diff expected.txt cplusplus.out; }
  check "its samples are those of the command, too" same_in_cplusplus
fi
archive() { flowc "$root/examples/rotation.flow" -o rotation.a && $c -I. "$src/linked/main.c" -o with_archive rotation.a $(pkg-config --cflags --libs flowrt) && ./with_archive | diff linked.out -; }
check "a static library serves as well as an object" archive
if command -v valgrind >/dev/null && [ -z "${FLOW_TEST_NO_VALGRIND:-}" ]; then
  grind() { flowc "$root/examples/rotation.flow" -o grind.so --cpu v3 && valgrind -q --error-exitcode=9 ./sample grind.so 5; }
  check "valgrind finds nothing to say about a program that samples" grind
fi

[ "$checks" -gt 0 ] && echo "$(((checks - failures) * 100 / checks))%: Checks: $checks, Failures: $failures, Errors: 0"
[ "$failures" -eq 0 ]
