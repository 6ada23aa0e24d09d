#!/usr/bin/env bash
# What an owner of a graphics card can run in about ten minutes: every variant of the kernels, the length of a
# submission, rate, energy, clocks and heat, beside the processors. Nothing leaves the machine: what it finds lies in one
# folder, to be looked at and, if you like, sent.
#
#   docs/measurements/gpu.sh [DEVICE] [FOLDER]      DEVICE is gpu0 unless given; hashwatt devices lists all
set -euo pipefail

device=${1:-gpu0}
folder=${2:-hashwatt-$device-$(date -u +%Y%m%dT%H%M%SZ)}
hashwatt=${HASHWATT:-target/release/hashwatt}

[[ -x $hashwatt ]] || cargo build --release --locked
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
# A choice of an earlier run shall not decide this one.
export XDG_CACHE_HOME=$folder/cache
meter=(--meter auto)

step() { printf '\n== %s\n' "$*"; }

step "the machine"
"$hashwatt" devices | tee "$folder/devices.txt"
"$hashwatt" devices --json >"$folder/devices.json"
if command -v nvidia-smi >/dev/null; then
  nvidia-smi -q >"$folder/nvidia-smi.txt" || true
fi

step "known answers"
"$hashwatt" selftest "sha256d/$device/*" | tee "$folder/selftest.txt"

step "every variant, one respect at a time from the best so far"
"$hashwatt" tune "sha256d/$device/*" --json >"$folder/tune.json"
"$hashwatt" tune "sha256d/$device/*" | tee "$folder/tune.txt"

step "how long a submission should take"
for batch in 1ms 3ms 10ms 30ms 100ms 200ms; do
  printf '%s: ' "$batch"
  "$hashwatt" bench "sha256d/$device/wgsl" "${meter[@]}" --time 5 --gpu-batch "$batch" \
    --out "$folder/batch-$batch.json" --quiet --format csv >/dev/null && echo done
done

step "the usual variant beside the one that was found"
"$hashwatt" bench "sha256d/$device/*" "${meter[@]}" --time 10 --no-autotune --out "$folder/usual.json"
"$hashwatt" bench "sha256d/$device/*" "${meter[@]}" --time 10 --out "$folder/tuned.json"

step "the measurement: card and processors in turns"
"$hashwatt" bench "sha256d/$device/*" 'sha256d/cpu/*' "${meter[@]}" --preset standard --out "$folder/standard.json" |
  tee "$folder/standard.txt"

step "the clock under load"
if command -v nvidia-smi >/dev/null; then
  nvidia-smi --query-gpu=clocks.sm,clocks.mem,power.draw,temperature.gpu,clocks_throttle_reasons.active \
    --format=csv -lms 500 >"$folder/clocks.csv" &
  watch=$!
  trap 'kill "$watch" 2>/dev/null || true' EXIT
  "$hashwatt" bench "sha256d/$device/wgsl+rolled" "${meter[@]}" --time 20 --out "$folder/load.json" --quiet >/dev/null
fi

rm -rf "$folder/cache"
printf '\nAll of it lies in %s; standard.json is the record.\n' "$folder"
