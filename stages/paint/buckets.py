"""Points dropped into buckets, so that neighbours are found without looking at every pair."""

from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float32, Int32
from paintpipe.stages.paint.kernel import kernel


@kernel
def fill_buckets(bucket: Int32, count: int) -> Any:
    """First place of each bucket, (count + 1,) int32, and (M,) int32 points ordered by bucket (a counting sort)."""
    start = np.zeros(count + 1, np.int32)
    for b in bucket:
        start[b + 1] += 1
    for b in range(count):
        start[b + 1] += start[b]
    members, place = np.empty(bucket.shape[0], np.int32), start[:-1].copy()
    for i in range(bucket.shape[0]):
        members[place[bucket[i]]] = i
        place[bucket[i]] += 1
    return start, members


@kernel
def depth_ranges(bucket: Int32, depth_m: Float32, count: int) -> Any:
    """(count,) float32 smallest and largest depth of each bucket; an empty one has the largest below the smallest."""
    near, far = np.full(count, np.inf, np.float32), np.full(count, -np.inf, np.float32)
    for i in range(bucket.shape[0]):
        b = bucket[i]
        near[b], far[b] = min(near[b], depth_m[i]), max(far[b], depth_m[i])
    return near, far
