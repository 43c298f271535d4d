"""Environment variables that hold a process's libraries to a number of threads."""

import os


def thread_limits(threads: int) -> dict[str, str]:
    """Variables for a worker that may compute with `threads` threads; they count only if set before it starts.

    OpenMP threads that spin while they wait take several times as long where another program holds a core.
    """
    names = ("OMP", "MKL", "OPENBLAS", "NUMBA", "NUMEXPR", "VECLIB_MAXIMUM", "BLIS")
    limits = {f"{name}_NUM_THREADS": str(threads) for name in names}
    limits |= {"OPENCV_FOR_THREADS_NUM": str(threads), "BLOSC_NTHREADS": "1"}
    return limits | {"OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE")}
