"""Keeps a dask cluster of SLURM jobs running, and writes the file that `paintpipe --scheduler-file` reads.

    pip install dask-jobqueue
    python docs/cluster/slurm_jobqueue.py --jobs 8 --queue gpu

Leave it running (tmux); in another terminal: paintpipe paint --scheduler-file scheduler.json --gpus all …
"""

import argparse
import json
import signal
from pathlib import Path


def main() -> None:
    """Start the cluster and wait for Ctrl-C."""
    from dask_jobqueue import SLURMCluster

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=4, help="SLURM jobs, a worker and a GPU each")
    parser.add_argument("--queue", default=None)
    parser.add_argument("--walltime", default="12:00:00")
    parser.add_argument("--in-flight", type=int, default=2, help="shards under way in each worker")
    arguments = parser.parse_args()
    cluster = SLURMCluster(
        queue=arguments.queue,
        walltime=arguments.walltime,
        processes=1,
        cores=arguments.in_flight,
        job_cpu=4,
        memory="16GB",
        job_extra_directives=["--gpus=1"],
        job_script_prologue=["export OMP_WAIT_POLICY=PASSIVE"],
        worker_extra_args=["--resources", f"GPU={arguments.in_flight}"],
    )
    cluster.scale(jobs=arguments.jobs)
    file = Path("scheduler.json")
    file.write_text(json.dumps({"address": cluster.scheduler_address}))
    try:
        signal.pause()
    finally:
        file.unlink()
        cluster.close()


if __name__ == "__main__":
    main()
