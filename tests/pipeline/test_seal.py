"""The checksum inside metadata: every single wrong bit is told."""

import hashlib
import json

import pytest

from paintpipe.pipeline.seal import SEAL, broken_seal, seal, unsealed

NODE = {"zarr_format": 3, "attributes": {"units": "us"}, "shape": [4]}


def test_the_seal_is_the_sha256_of_the_rest() -> None:
    expected = hashlib.sha256(b'{"attributes":{"units":"us"},"shape":[4],"zarr_format":3}').hexdigest()
    sealed = json.loads(seal(json.dumps(NODE).encode()))
    assert sealed == {**NODE, "attributes": {"units": "us", SEAL: expected}}
    assert unsealed(sealed["attributes"]) == {"units": "us"}
    assert json.loads(seal(b'{"a": 1}')) == {"a": 1, SEAL: hashlib.sha256(b'{"a":1}').hexdigest()}


@pytest.mark.parametrize("content", [json.dumps(NODE).encode(), '{"name": "größe", "sizes": [1, 2.5, null]}'.encode()])
def test_no_flipped_bit_is_silent(content: bytes) -> None:
    sealed = seal(content)
    assert broken_seal(sealed) == ""
    whole = json.loads(sealed)
    for bit in range(len(sealed) * 8):
        damaged = bytearray(sealed)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            same = json.loads(damaged) == whole
        except ValueError:
            same = False
        assert bool(broken_seal(bytes(damaged))) != same


@pytest.mark.parametrize("content", [b"", b"[]", b"3", b"{}", b'{"zarr_format": 3}', b"[" * 100_000, b"\xff"])
def test_what_was_never_sealed_is_told(content: bytes) -> None:
    assert broken_seal(content)
