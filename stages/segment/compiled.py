"""A network under another engine than torch: compiled anew for each input shape, and kept for the next image."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

import numpy as np
import torch
from torch import Tensor, nn

from paintpipe.schemas.arrays import AnyArray
from paintpipe.schemas.errors import ConfigError
from paintpipe.schemas.settings import SegmentSettings
from paintpipe.stages.segment.network import OnnxProgram

Shape = tuple[int, ...]
"""(N, 3, h, w)."""
Source = nn.Module | OnnxProgram
Run = Callable[[AnyArray], AnyArray]
"""(N, 3, h, w) → (N, C, h', w'), both numpy."""
Compile = Callable[[Source, Shape, SegmentSettings], Run]

_KEPT = 8
"""Compiled shapes kept at once, each with its own copy of the weights: image sizes, scales, a last smaller batch."""


class Compiled:
    """A forward pass by an engine; safe for several threads, which take turns."""

    def __init__(self, compile_for: Compile, source: Source, settings: SegmentSettings, *, any_shape: bool) -> None:
        """`any_shape` says that what was compiled for one shape runs every other too."""
        self._compile, self._source, self._settings, self._any_shape = compile_for, source, settings, any_shape
        self._known: OrderedDict[Shape, Run] = OrderedDict()
        self._lock = Lock()

    def prepare(self, shape: Shape) -> None:
        """Compile for an input shape before the first image comes.

        Raises:
            ModelError: the engine can't run this network at this size.
        """
        with self._lock:
            self._run_for(shape)

    def __call__(self, images: Tensor) -> Tensor:
        """(N, 3, h, w) float32 → (N, C, h', w') on the same device.

        Raises:
            ModelError: the engine can't run this network at this size.
            ConfigError: a batch that a file of fixed batch size does not take.
            RuntimeError: the run failed.
        """
        values: AnyArray = images.cpu().numpy()
        step = len(values)
        if isinstance(self._source, OnnxProgram):
            values, step = values.astype(self._source.dtype, copy=False), self._source.batch or step
        if len(values) % step:
            raise ConfigError(f"the ONNX file takes {step} images at a time", expected=f"--batch-size {step}")
        with self._lock:
            run = self._run_for((step, *values.shape[1:]))
            parts = [run(np.ascontiguousarray(values[start : start + step])) for start in range(0, len(values), step)]
        return torch.from_numpy(parts[0] if len(parts) == 1 else np.concatenate(parts)).to(images.device)

    def _run_for(self, shape: Shape) -> Run:
        key = () if self._any_shape else shape
        run = self._known.get(key)
        if run is None:
            run = self._known[key] = self._compile(self._source, shape, self._settings)
        self._known.move_to_end(key)
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return run
