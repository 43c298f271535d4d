"""Holding libraries to a number of threads where the environment was set by others."""


def limit_threads(threads: int) -> None:
    """OpenCV takes every core unless told; torch is told with each forward pass, and numba's kernels here take one."""
    import cv2

    cv2.setNumThreads(threads)
