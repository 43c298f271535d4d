"""Which device a network runs on."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from paintpipe.schemas.errors import ConfigError


def resolve_device(wanted: str) -> str:
    """`auto`, `cpu`, `cuda` or `cuda:N` → `cpu` or `cuda:N`; `auto` takes the first CUDA device where there is one.

    Raises:
        ConfigError: another word, or a CUDA device that this machine lacks (the message lists those that it has).
    """
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted == "auto":
        return "cuda:0" if count else "cpu"
    if wanted == "cpu":
        return "cpu"
    match = re.fullmatch(r"cuda(?::(\d+))?", wanted)
    if match is None:
        raise ConfigError(f"unknown device {wanted!r}", expected="auto, cpu or cuda:N")
    index = int(match[1] or 0)
    if index >= count:
        here = ["cpu", *(f"cuda:{number} ({torch.cuda.get_device_name(number)})" for number in range(count))]
        raise ConfigError(f"there is no device {wanted}", expected="one of " + ", ".join(here))
    return f"cuda:{index}"


@contextmanager
def enough_memory() -> Iterator[None]:
    """Want of memory on the device, wherever in the block it shows, as one clear line. Raises ConfigError."""
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        raise ConfigError("the device ran out of memory", todo="lower --batch-size or --input-size") from error
