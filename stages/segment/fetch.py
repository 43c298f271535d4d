"""Downloading published weights, when the user asks for it."""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from paintpipe.schemas.errors import ModelError
from paintpipe.schemas.model_card import ModelCard
from paintpipe.stages.segment.archive import sha256_of

_TIMEOUT_S = 30


def cache_folder() -> Path:
    """Where fetched weights are kept: PAINTPIPE_CACHE, or the platform's cache folder for this user."""
    import pooch

    return Path(os.environ.get("PAINTPIPE_CACHE") or pooch.os_cache("paintpipe")) / "weights"


def fetch_weights(card: ModelCard, folder: Path | None = None, progress: bool = True) -> Path:
    """The card's weights, downloaded from its published address unless they are there already.

    The file appears under its name only once it is whole and, where the card knows one, has the right SHA-256.

    Args:
        card: names `url`, `weights` and `weights_sha256`.
        folder: where to put them, None for `cache_folder()`.
        progress: show a bar on stderr.

    Raises:
        ModelError: the card has no address, the server or network fails, or the file is not the one that was published.
    """
    folder = cache_folder() if folder is None else Path(folder)
    if card.architecture == "hf":
        from paintpipe.stages.segment.hf import fetch_snapshot

        return fetch_snapshot(card)
    if not card.url or not card.weights:
        raise ModelError("the card names no address to fetch from", where=card.name, todo=card.notes)
    target = folder / card.weights
    if target.exists() and _is_published(target, card):
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A folder of its own on the same file system: a download that fails or is killed never carries the name.
        with TemporaryDirectory(prefix=".fetch-", dir=folder) as staging:
            path = _download(card, Path(staging), progress)
            path.replace(target)
    except OSError as error:
        raise ModelError(f"can't write there ({error.strerror or error})", where=str(folder)) from error
    return target


def _is_published(path: Path, card: ModelCard) -> bool:
    return not card.weights_sha256 or sha256_of(path) == card.weights_sha256.lower()


def _download(card: ModelCard, staging: Path, progress: bool) -> Path:
    import pooch
    import requests

    # pooch checks the length of no body: read it from the answer's head.
    downloader = _checked_downloader(progress)
    try:
        path = pooch.retrieve(card.url, known_hash=None, fname=card.weights, path=staging, downloader=downloader)
    except requests.exceptions.HTTPError as error:
        status = error.response.status_code if error.response is not None else "?"
        raise ModelError(f"the server answered {status}", where=card.url, todo="look for a newer address") from error
    except (requests.exceptions.RequestException, ConnectionError) as error:
        raise ModelError(
            f"the download failed ({type(error).__name__})", where=card.url, todo="check the network and try again"
        ) from error
    found = sha256_of(Path(path))
    if card.weights_sha256 and found != card.weights_sha256.lower():
        raise ModelError(f"what came has SHA-256 {found}", where=card.url, expected=card.weights_sha256)
    return Path(path)
