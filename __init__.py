"""paintpipe: paint LiDAR points with image segmentation, in bulk."""

from typing import Any

__version__ = "0.1.0"
__all__ = ["PaintedStore", "__version__", "open_painted"]


def __getattr__(name: str) -> Any:
    """Hand on the public API late, so that `import paintpipe` stays light."""
    if name in {"open_painted", "PaintedStore"}:
        from paintpipe.workflows import api

        return getattr(api, name)
    raise AttributeError(f"module 'paintpipe' has no attribute {name!r}")
