#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Times whole rk4 solves with flowc bench: the networks of the README's table and the eight-Gaussian mixture.
#   usage: tests/bench/run.sh [samples ...]        (default 10000 100000; after scripts/start)
# Environment: THREADS (1), CORE (a core to pin to), ROUNDS (9), YARDSTICK (a program with hand-written kernels for the same
# work, timed in turn: it is called as `$YARDSTICK --net H --n N --rounds 1` and `--field mixture`).
# One JSON line for each cell.
set -e
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$root/build/bench
threads=${THREADS:-1} rounds=${ROUNDS:-9}
pin=""
[ -z "$CORE" ] || pin="taskset -c $CORE"
[ $# -gt 0 ] || set -- 10000 100000
for net in "64 2" "256 2" "512 64"; do
  width=${net% *} state=${net#* }
  [ -f "$out/net$width.safetensors" ] || "$out/bench_weights" "$width" "$state" "$out/net$width.safetensors"
done
for n in "$@"; do
  for width in 64 256 512; do
    steps=$((400000000 / (8 * n * width * width / 100) ))          # about a tenth of a second a solve
    [ "$steps" -le 100 ] || steps=100
    [ "$steps" -ge 1 ] || steps=1
    $pin "$root/build/flowc" bench "$here/net$width.flow" --weights "$out/net$width.safetensors" -n "$n" --steps "$steps" \
      --threads "$threads" --rounds "$rounds" --json
    [ -z "$YARDSTICK" ] || $pin "$YARDSTICK" --net "$width" --n "$n" --threads "$threads" --rounds "$rounds" | grep '"rk4'
  done
  $pin "$root/build/flowc" bench "$here/mixture8.flow" -n "$n" --threads "$threads" --rounds "$rounds" --json
  # steps of each sample's own: how full the tiles are, and what an evaluation of an accepted step costs beside the lines above
  $pin "$root/build/flowc" bench "$here/net64.flow" --weights "$out/net64.safetensors" -n "$n" --rtol 1e-5 --threads "$threads" --rounds "$rounds" --json
  $pin "$root/build/flowc" bench "$here/mixture8.flow" -n "$n" --rtol 1e-5 --threads "$threads" --rounds "$rounds" --json
  $pin "$root/build/flowc" bench "$here/mixture8.flow" -n "$n" --solver dop853 --rtol 1e-11 --precision f64 --threads "$threads" --rounds "$rounds" --json
  [ -z "$YARDSTICK" ] || $pin "$YARDSTICK" --field mixture --n "$n" --rounds "$rounds"
done
