"""Files that can run code while they are loaded need the user's word for their exact bytes."""

import hashlib
from pathlib import Path

from paintpipe.schemas.errors import ModelError, UntrustedModelError
from paintpipe.stages.segment.archive import RUNS_CODE, sha256_of, weights_kind


def read_trusted(path: Path, trust_sha256: str) -> bytes:
    """The bytes of a file that the user vouched for; the bytes that were hashed are the bytes returned.

    Args:
        path: a TorchScript or torch.export file.
        trust_sha256: hex SHA-256 that the user gave, "" for none.

    Raises:
        UntrustedModelError: no SHA-256 was given, or it is not this file's; the message holds the right one.
        ModelError: the file can't be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"the weights can't be read ({error.strerror})", where=str(path)) from error
    actual = hashlib.sha256(content).hexdigest()
    if trust_sha256.strip().lower() != actual:
        raise _untrusted(path, actual, trust_sha256)
    return content


def refuse_code(path: Path) -> None:
    """Raises UntrustedModelError where a file that should hold tensors alone is a TorchScript or torch.export file."""
    kind = weights_kind(path)
    if kind in RUNS_CODE:
        raise UntrustedModelError(
            f"a {kind} file can run code when it is loaded, and this network wants a state dict",
            where=str(path),
            expected="a state dict or safetensors",
            todo=f'write a model card with architecture = "{kind}" and add --trust-model {sha256_of(path)}',
        )


def _untrusted(path: Path, actual: str, given: str) -> UntrustedModelError:
    what = "this file can run code when it is loaded"
    if given:
        what += f", and the SHA-256 you trust ({given}) is not its own"
    return UntrustedModelError(what, where=str(path), todo=f"if you trust who made it, add --trust-model {actual}")
