#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# kill_training.sh FLOWC [KILLS] -- kills a training with SIGKILL at random moments, resumes it each time, and compares its end with that
# of a training without a stop, byte for byte.  After every kill each checkpoint that is there is read.  Not one of the tests that always
# run: fifty kills take a minute or so.
set -u
flowc=$(realpath "$1") kills=${2:-50}
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
cat > model.flow <<'END'
network v(t, x: [2]) -> [2] = [t, x] |> linear 64 |> elu |> linear 64 |> elu |> linear 2
fn robust(u: [d], target: [d]) = log(1 + norm2(u - target))
flow f {
  source normal(2)
  velocity v
  solver rk4 steps 4
  train { loss robust  kinetic 0.01  jacobian 0.001  jacobian_norm hutchinson  batch 400  schedule cosine  ema 0.99  validation 0.1 }
}
END

fail() { printf '%s: error: %s\n' "${0##*/}" "$*" >&2; exit 1; }
train=("$flowc" train model.flow --data x.npy -o w.safetensors --checkpoint-every 13 --quiet)

"$flowc" data moons -n 5000 -o x.npy || exit 1

# So long that a training takes about a quarter of a second for each kill.
iterations=2000
start=$(date +%s%N)
"${train[@]}" --iterations $iterations --threads 1 || fail "the training does not run"
each=$((($(date +%s%N) - start) / iterations))
iterations=$((kills * 250000000 / each / 13 * 13 + 7))
rm -f w.checkpoint*.safetensors
"${train[@]}" --iterations $iterations --threads 1 || exit 1
mv w.safetensors whole.safetensors
rm -f w.checkpoint*.safetensors

killed=0
for ((i = 0; i < kills; i++)); do
  "${train[@]}" --iterations $iterations --resume --threads $((1 + i % 3)) &
  child=$!
  sleep "0.$(printf '%03d' $((50 + RANDOM % 300)))"
  kill -9 $child 2>/dev/null && killed=$((killed + 1))
  wait $child 2>/dev/null
  for checkpoint in w.checkpoint.safetensors w.checkpoint.previous.safetensors; do
    if [ -e $checkpoint ]; then "$flowc" inspect $checkpoint >/dev/null || fail "kill $i left a $checkpoint that cannot be read"; fi
  done
done
rm -f w.safetensors
"${train[@]}" --iterations $iterations --resume --threads 2 || fail "the training does not come to its end"
cmp whole.safetensors w.safetensors || fail "after $killed kills the file is another"
printf '%d iterations, killed %d times: the same file, byte for byte; every checkpoint could be read\n' "$iterations" "$killed"
