#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_install.sh BUILD CC -- installs BUILD into a temporary prefix and uses it as a stranger would.
set -uo pipefail
build=$1 cc=$2
# shellcheck source=tests/install/installed.sh
. "$(dirname "$0")/installed.sh"

# ---- the libraries ----
exports() { nm -D --defined-only "$lib/lib$1.so" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' | LC_ALL=C sort | diff "$here/$1.symbols" -; }
check "libflowrt exports exactly the symbols of its headers" exports flowrt
check "libflowc exports exactly the symbols of its header" exports flowc
soname() { readelf -d "$lib/libflowrt.so" | grep -q 'SONAME.*\[libflowrt\.so\.0\]' && readelf -d "$lib/libflowc.so" | grep -q 'SONAME.*\[libflowc\.so\.0\]'; }
check "the libraries have versioned sonames" soname
versions() { nm -D --defined-only "$lib/lib$1.so" | awk -v version="@@$2" '$2 == "T" && index($3, version) == 0 { print $3; wrong = 1 } END { exit wrong }'; }
check "every symbol of libflowrt has a version" versions flowrt FLOWRT_0
check "every symbol of libflowc has a version" versions flowc FLOWC_0
hardened() {
  readelf -lW "$1" >segments
  grep -q GNU_RELRO segments
  grep 'GNU_STACK' segments | grep -qv 'RWE'
  ! grep -q 'RWE' segments
}
check "libflowrt has RELRO, no executable stack, no segment to write and execute" hardened "$lib/libflowrt.so"
without_llvm() { ! readelf -d "$lib/libflowrt.so" | grep -i 'NEEDED.*llvm'; }
check "libflowrt does not need LLVM" without_llvm
small() { strip -o stripped.so "$(readlink -f "$lib/libflowrt.so")" && [ "$(stat -c %s stripped.so)" -le 409600 ]; }
check "libflowrt has at most 400 kB without its symbols" small

# ---- the headers ----
headers() {
  local header
  for header in "$prefix"/include/flow/*.h; do
    printf '#include <flow/%s>\n' "$(basename "$header")" >"one.$2"
    $1 "${flags[@]}" -fsyntax-only -I"$prefix/include" "one.$2"
  done
}
check "every header stands alone in C99" headers "$cc -std=c99" c
[ -z "$cxx" ] || check "every header stands alone in C++17" headers "$cxx -std=c++17" cpp

# ---- models ----
check "the installed compiler makes a library" model moons so
check "the installed compiler makes an object" model rotation o
model_header() {
  printf '#include "%s.h"\nint main(void) { return %s_DIM == 2 ? 0 : 1; }\n' "$2" "$(echo "$2" | tr a-z A-Z)" >"one.$3"
  $1 "${flags[@]}" -fsyntax-only -I. -I"$prefix/include" "one.$3"
}
check "a model's header stands alone in C99" model_header "$cc -std=c99" moons c
[ -z "$cxx" ] || check "a model's header stands alone in C++17" model_header "$cxx -std=c++17" moons cpp
# The lines in the header's comment, as a program.
shown() {
  flowc "$root/examples/digits.flow" --flow digits -o digits.o --weights load -q
  {
    echo '#include <stdio.h>'
    sed -n 's/^ \*   //p' digits.h | grep '^#include'
    echo 'int main(void) {'
    sed -n 's/^ \*   //p' digits.h | grep -v '^#include\|^cc ' | sed "s|WEIGHTS.safetensors|$root/examples/digits.safetensors|; s/1000/5/"
    echo '}'
  } >shown.c
  $c -I. shown.c digits.o -o shown $(pkg-config --cflags --libs flowrt)
  ./shown >shown.out 2>&1
  [ ! -s shown.out ]
}
check "the lines that a model's header shows are a program" shown
only_one() { [ "$(nm "$1" | grep -c ' [A-Z] ')" -eq 1 ] && nm "$1" | grep -q ' T flow_export_rotation$'; }
check "an object has one symbol for others" only_one rotation.o
check "a model's library has RELRO, no executable stack, no segment to write and execute" hardened moons.so
flowc sample "$root/examples/moons.flow" -n 5 --seed 1 -o expected.csv -q
tail -n +2 expected.csv | tr ',' ' ' >expected.txt

# example NAME ARGUMENTS... -- by the plain line of its source, then by CMake; the two print the same.
example() {
  local name=$1
  shift
  plain "$name"
  ./"$name" "$@" >"$name.out"
  cmake -G Ninja -S "$root/examples/embed/$name" -B "cmake-$name" >cmake.log
  cmake --build "cmake-$name" >>cmake.log
  [ "$name" = realtime ] || "cmake-$name/$name" "$@" | diff "$name.out" -
}
check "a C program loads a model and samples" example sample moons.so 5
same_bits() { sed 's/ *log p.*//; s/ $//' sample.out | diff expected.txt -; }
check "its samples are those of the command" same_bits
check "a model can be linked in" example linked
check "a control loop runs from a prepared solver" example realtime moons.so 200
ticks() { [ "$(awk '{ n += $3 } END { print n }' realtime.out)" -eq 200 ]; }
check "its histogram counts every tick" ticks
check "text is compiled when the program runs" example text
bad_text() { ! ./text 'flow f { source normal(2) velocity nothing }' 2>bad.out && grep -q 'error\[E' bad.out; }
check "text with an error is shown with its place" bad_text
if [ -n "$cxx" ]; then
  check "a C++ program does the same" example cplusplus moons.so
  same_in_cplusplus() { diff expected.txt cplusplus.out; }
  check "its samples are those of the command, too" same_in_cplusplus
fi
archive() { flowc "$root/examples/rotation.flow" -o rotation.a && $c -I. "$root/examples/embed/linked/main.c" -o with_archive rotation.a $(pkg-config --cflags --libs flowrt) && ./with_archive | diff linked.out -; }
check "a static library serves as well as an object" archive

# ---- a runtime that is not there, or too old ----
no_runtime() { ! LD_LIBRARY_PATH=/nonexistent ./sample moons.so 2>missing.out && grep -q 'libflowrt.so.0' missing.out; }
check "without the runtime the loader names it" no_runtime
# A runtime before one of the functions: the loader says which version is wanted, before main.
old_runtime() {
  mkdir -p old
  sed 's/FLOWRT_0/FLOWRT_OLD/' "$root/runtime/api/flowrt.map" >old/map
  echo 'int flowrt_version(void) { return 0; }' >old/old.c
  $cc -shared -fPIC old/old.c -o old/libflowrt.so.0 -Wl,-soname,libflowrt.so.0 -Wl,--version-script=old/map
  ! LD_LIBRARY_PATH=$work/old ./sample moons.so 2>old.out
  grep -q 'FLOWRT_0' old.out
}
check "with a runtime of another interface the loader names the version" old_runtime

finish
