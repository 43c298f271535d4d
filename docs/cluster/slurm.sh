#!/usr/bin/env bash
# One SLURM job that paints: scheduler, workers and paintpipe in one allocation. Submit it from the workspace:
#
#   sbatch docs/cluster/slurm.sh --model bisenetv2-cityscapes --weights /data/bisenetv2.pth
#
# Killed at its time limit, it is simply submitted again: finished shards are kept.
#SBATCH --job-name=paintpipe
#SBATCH --ntasks=4
#SBATCH --cpus-per-task=4
#SBATCH --gpus-per-task=1
#SBATCH --mem-per-cpu=4G
#SBATCH --time=12:00:00
set -euo pipefail
VENV=${VENV:-$HOME/venvs/paintpipe}
IN_FLIGHT=2                      # shards under way in each worker
FILE=$PWD/scheduler-$SLURM_JOB_ID.json
trap 'rm -f "$FILE"; kill $(jobs -p) 2>/dev/null || true' EXIT

"$VENV/bin/dask" scheduler --scheduler-file "$FILE" --port 0 --no-dashboard &
until [ -s "$FILE" ]; do sleep 0.2; done
# One worker a task; SLURM shows each its own GPU alone. Without GPUs: leave out --gpus-per-task, --resources and --gpus.
srun --exact --kill-on-bad-exit=0 env OMP_WAIT_POLICY=PASSIVE "$VENV/bin/dask" worker --scheduler-file "$FILE" \
  --nthreads "$IN_FLIGHT" --resources "GPU=$IN_FLIGHT" --no-dashboard --local-directory "${TMPDIR:-/tmp}" &
"$VENV/bin/paintpipe" paint --scheduler-file "$FILE" --gpus all "$@"
