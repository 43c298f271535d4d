"""Addresses of folders: which are URLs, what is in them, and what must never be printed."""

import os
import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from paintpipe.schemas.errors import ConfigError

SCHEMES = ("s3", "gs", "az", "memory", "file")
_EXPECTED = "s3://BUCKET/PATH, gs://BUCKET/PATH, az://CONTAINER/PATH, memory://NAME, file:///PATH or a folder"
_SECRETS = re.compile(r"(?i)^(AWS|AZURE|GOOGLE)_.*(SECRET|TOKEN|KEY|PASSWORD|SAS|SIGNATURE|CREDENTIAL|ACCOUNT)")
_NO_SECRETS = re.compile(r"(?i)(_FILE|_PATH|_ID|_NAME|_URI|_URL|_SERVICE_ACCOUNT|_APPLICATION_CREDENTIALS|_ENDPOINT)$")


class Address(NamedTuple):
    """A URL in its parts: scheme, bucket (for `file`, ""), and the path below it without slashes at its ends."""

    scheme: str
    bucket: str
    path: str

    @property
    def url(self) -> str:
        """The address written out."""
        return f"{self.scheme}://{self.bucket}" + (f"/{self.path}" if self.path else "")


def is_url(text: str) -> bool:
    """Whether an address is a URL, rather than a path on this machine."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text) is not None


def parse_url(text: str) -> Address:
    """The parts of a URL.

    Raises:
        ConfigError: an unknown scheme, no bucket, or what has no place in such a URL (user, password, query).
    """
    parts = urlsplit(text)
    scheme, bucket = parts.scheme.lower(), parts.netloc
    if scheme not in SCHEMES:
        raise ConfigError(f"can't open {scheme}:// URLs", expected=_EXPECTED)
    if "@" in bucket or parts.query or parts.fragment:
        # What stands there may be a secret: it isn't repeated.
        todo = "give keys in the environment, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        todo = "give the path itself, or write # as %23 and ? as %3F" if scheme == "file" else todo
        raise ConfigError(f"a {scheme}:// URL with user, query or fragment", expected=_EXPECTED, todo=todo)
    path = "/".join(part for part in parts.path.split("/") if part not in ("", "."))
    if ".." in path.split("/") or "\0" in path or "\\" in text:
        raise ConfigError("a URL that climbs with '..' or holds a backslash", where=text, expected=_EXPECTED)
    if scheme == "file":
        if bucket not in ("", "localhost"):
            raise ConfigError(f"a file:// URL of the host {bucket}", expected=_EXPECTED)
        return Address("file", "", "/" + unquote(path))
    if not bucket:
        raise ConfigError(
            f"the URL names no {'bucket' if scheme != 'memory' else 'name'}", where=text, expected=_EXPECTED
        )
    return Address(scheme, bucket, path)


def without_secrets(text: str) -> str:
    """A client's message without query strings, which sign requests, passwords in URLs and the environment's keys."""
    text = re.sub(r"(https?://)[^\s/@'\"]+@", r"\1", text)
    text = re.sub(r"(https?://[^\s?'\"]*)\?[^\s'\")]*", r"\1", text)
    for name, value in os.environ.items():
        if len(value) >= 8 and _SECRETS.match(name) and not _NO_SECRETS.search(name):
            text = text.replace(value, "…")
    return text
