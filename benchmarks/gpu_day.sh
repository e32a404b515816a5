#!/usr/bin/env bash
# Build unnp on a machine with an NVIDIA GPU, run what needs one, and measure, within ten minutes.
#
#   benchmarks/gpu_day.sh [--out FOLDER] [--wheels FOLDER] [--device cuda|cpu] [--minutes 10]
#
# Needs Python 3.11 or newer, g++ and make, and in this Python a CUDA build of torch (else $TORCH is installed, as `torch`). nvcc is
# noted where it is there; nothing is compiled with it today. Packages come from the folder of wheels where one is given (for a machine without a network), else from the package index.
# On a machine with a network, wheels for another one are fetched with
#   python -m pip download -d wheels -r benchmarks/gpu_day_wheels.txt
# Everything goes into one folder: summary.md (what passed, how long it took, the tables), a log of each step, the results as JSON.
# --device cpu tries the script itself; a small machine needs more --minutes to compile. The exit code is 1 where a step failed; the other steps are run all the same.

set -u
cd "$(dirname "$0")/.."
out=build/gpu_day wheels="" device=cuda minutes=10
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || { echo "$1 needs a value" >&2; exit 2; }
  case $1 in
    --out) out=$2 ;;
    --wheels) wheels=$2 ;;
    --device) device=$2 ;;
    --minutes) minutes=$2 ;;
    *) echo "unknown option $1; there are --out, --wheels, --device and --minutes" >&2; exit 2 ;;
  esac
  shift 2
done
mkdir -p "$out"
out=$(cd "$out" && pwd)
venv=$out/venv
limit=$((60 * minutes))
started=$SECONDS
failed=0
export OMP_NUM_THREADS=1 PYTHONUNBUFFERED=1 UNNP_TEST_DEVICE=$device UNNP_RESULTS=$out/results
export PATH=$venv/bin:$PATH

# step NAME SECONDS COMMAND...: run a command within its time and what is left of the day; note how it ended
step() {
  local name=$1 most=$(($2 * minutes / 10)) begun=$SECONDS left=$((limit - (SECONDS - started))) status
  shift 2
  [ "$left" -gt "$most" ] && left=$most
  echo "== $name"
  if [ "$left" -le 0 ]; then status="not run, the time is over"
  elif timeout "$left" "$@" > "$out/$name.log" 2>&1; then status=passed
  else
    local code=$?
    status="failed, exit code $code"
    [ $code -eq 124 ] && status="stopped after $left s"
  fi
  [ "$status" = passed ] || { failed=1; tail -n 5 "$out/$name.log" 2>/dev/null; }
  echo "| $name | $status | $((SECONDS - begun)) |" | tee -a "$out/summary.md"
}

machine() {
  uname -srm
  nproc --all
  nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv 2>&1
  command -v nvcc > /dev/null && nvcc --version || echo "no nvcc"
  "$(command -v python3)" -c "import sys, torch; print(sys.version); print('torch', torch.__version__, 'CUDA', torch.version.cuda, torch.cuda.is_available())"
}

build() {
  rm -rf "$venv"
  # the torch of the machine, which fits its driver; where its Python is an environment itself, that one's packages too
  local where="import sysconfig; print(sysconfig.get_path('purelib'))" packages
  packages=$(python3 -c "$where") && python3 -m venv --system-site-packages "$venv" || return 1
  echo "$packages" > "$("$venv/bin/python" -c "$where")/machine.pth"
  local from=()
  [ -n "$wheels" ] && from=(--no-index --find-links "$wheels")
  "$venv/bin/python" -c "import torch" || "$venv/bin/python" -m pip install --quiet "${from[@]}" "$TORCH" || return 1
  "$venv/bin/python" -m pip install --quiet "${from[@]}" -r benchmarks/gpu_day_wheels.txt || return 1
  "$venv/bin/python" -m pip install --quiet --no-build-isolation --no-deps .
}

rm -f "$out"/*.log "$out/summary.md"
{ echo "# GPU day"; echo; echo "| step | result | seconds |"; echo "|---|---|---:|"; } > "$out/summary.md"
export -f machine build
export wheels venv TORCH=${TORCH:-torch}
step build 240 bash -c build
step machine 30 bash -c machine
step doctor 60 "$venv/bin/unnp" doctor
step tests 240 "$venv/bin/python" -m pytest -q -p no:cacheprovider tests/gpu tests/nn
step lammps 120 "$venv/bin/python" benchmarks/lammps_throughput.py --device "$device" --atoms 2048 16384 131072 --ranks 1 2
step training 90 "$venv/bin/python" benchmarks/training_throughput.py --device "$device" --presets M --threads 1 --batch-sizes 4 32
{ echo; cat "$out/machine.log"; } >> "$out/summary.md"
echo "everything is in $out; summary.md first"
exit $failed
