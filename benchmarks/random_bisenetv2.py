"""Writes a BiSeNetV2 with seeded random weights, for measurements that need the network and not its knowledge.

python benchmarks/random_bisenetv2.py bisenetv2.safetensors
paintpipe bench --model bisenetv2-cityscapes --weights bisenetv2.safetensors
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from paintpipe.stages.segment.bisenetv2 import BiSeNetV2


def write_weights(path: Path, seed: int = 0) -> None:
    """The published size, 19 classes."""
    torch.manual_seed(seed)
    save_file(dict(BiSeNetV2(n_classes=19).state_dict()), path)


if __name__ == "__main__":
    write_weights(Path(sys.argv[1]))
