#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh RUN [SEED...] -- one of the runs of docs/training.md, from the data to -log p of points that were held out.
#
#   RUN         moons, likelihood, checkerboard or digits (this one needs Python with NumPy and scikit-learn)
#   SEED...     of the first weights and of all that is drawn; 0 without
#   FLOWC       the program [build/flowc];  OUT: the folder for data, weights, logs [training-runs];  PYTHON [python3]
#   THREADS     the bits do not depend on them [1]
#
# Prints what the program says, and the processor time of each training.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
run=${1:?one of moons, likelihood, checkerboard, digits}
shift
[ $# -gt 0 ] || set -- 0
flowc=${FLOWC:-build/flowc} out=${OUT:-training-runs} threads=${THREADS:-1}
mkdir -p "$out"
held=100000 condition=() held_condition=() every=100

# points SET NOISE COUNT SEED FILE: makes the file, if it is not there.
points() { [ -e "$out/$5" ] || "$flowc" data "$1" --noise "$2" -n "$3" --seed "$4" -o "$out/$5"; }

case $run in
moons) points moons 0.05 100000 0 moons.npy; points moons 0.05 $held 2002 moons-held.npy ;;
likelihood) every=10; points moons 0.1 100000 0 likelihood.npy; points moons 0.1 $held 2002 likelihood-held.npy ;;
checkerboard) held=20000 every=200; points checkerboard 0 1000000 0 checkerboard.npy; points checkerboard 0 $held 2002 checkerboard-held.npy ;;
digits)
  every=20 condition=(-c "c=$out/digits-class.npy") held_condition=(-c "c=$out/digits-held-class.npy")
  [ -e "$out/digits-held-class.npy" ] || "${PYTHON:-python3}" "$here/digits_data.py" "$out" ;;
*) echo "run.sh: there is no run '$run': moons, likelihood, checkerboard, digits" >&2; exit 2 ;;
esac

TIMEFORMAT='training: %U s of processor time, %R s in all'
for seed in "$@"; do
  weights=$out/$run-$seed.safetensors
  echo "== $run, seed $seed"
  time "$flowc" train "$here/$run.flow" --data "$out/$run.npy" "${condition[@]}" --seed "$seed" -o "$weights" --threads "$threads" \
    --log "$out/$run-$seed.csv" --log-every $every
  "$flowc" logp "$here/$run.flow" --weights "$weights" --data "$out/$run-held.npy" "${held_condition[@]}" --solver rk4 --steps 100 \
    --threads "$threads" -o "$out/$run-$seed-logp.npy"
done
