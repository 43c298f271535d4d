#!/usr/bin/env bash
# Starts a dask scheduler here and workers on other hosts by SSH; Ctrl-C ends all of them.
#
#   HOSTS="node1 node2" GPUS=2 docs/cluster/ssh.sh          one worker for each of 2 GPUs on every host
#   HOSTS="node1 node2" WORKERS=8 docs/cluster/ssh.sh       8 CPU workers on every host
#
# Then, in another terminal:  paintpipe paint --scheduler-file scheduler.json [--gpus all] …
# Every host needs the same virtual environment, dataset and workspace at the same paths (a shared disk).
set -euo pipefail
HOSTS=${HOSTS:?hosts, such as "node1 node2"}
VENV=${VENV:-$VIRTUAL_ENV}
PORT=${PORT:-8786}
HOST=${HOST:-$(hostname -f)}
GPUS=${GPUS:-0}
WORKERS=${WORKERS:-1}
IN_FLIGHT=${IN_FLIGHT:-2}        # shards under way in each GPU worker
FILE=${FILE:-$PWD/scheduler.json}

rm -f "$FILE"
"$VENV/bin/dask" scheduler --host "$HOST" --port "$PORT" --scheduler-file "$FILE" &
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
until [ -s "$FILE" ]; do sleep 0.2; done

for host in $HOSTS; do
  if [ "$GPUS" -gt 0 ]; then
    for gpu in $(seq 0 $((GPUS - 1))); do
      ssh -tt "$host" env CUDA_VISIBLE_DEVICES="$gpu" OMP_WAIT_POLICY=PASSIVE "$VENV/bin/dask" worker \
        "$HOST:$PORT" --nthreads "$IN_FLIGHT" --resources "GPU=$IN_FLIGHT" --death-timeout 60 &
    done
  else
    ssh -tt "$host" env OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE "$VENV/bin/dask" worker \
      "$HOST:$PORT" --nworkers "$WORKERS" --nthreads 1 --death-timeout 60 &
  fi
done
wait
