"""Fixtures of the engine's tests."""

import os

import pytest


@pytest.fixture
def no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the waiting for the disk where a test is not about it."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
