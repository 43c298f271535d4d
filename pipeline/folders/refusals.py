"""What an object store refused, as one clear line."""

import re

from obstore import exceptions as refused

from paintpipe.pipeline.folders.urls import without_secrets
from paintpipe.schemas.errors import StoreError

_KEPT = "what was finished is kept, the same command carries on from there"
_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_GIVEN_UP = re.compile(r"after (\d+) retries, max_retries: \1\b| in \d{2,}(\.\d+)?s - HTTP error")
"""The client has repeated itself as often as it may, or has waited for tens of seconds."""
_METADATA_HOST = "169.254.169.254"

_WORTH_ASKING_AGAIN = ("408", "409", "412", "429")
_FINAL = (
    refused.PermissionDeniedError,
    refused.UnauthenticatedError,
    refused.NotSupportedError,
    refused.InvalidPathError,
)


def is_final(error: Exception) -> bool:
    """Whether asking again is of no use: the client has asked again and again itself, or was told no."""
    text = str(error)
    status = _STATUS.search(text)
    told_no = status is not None and status[1].startswith(("3", "4")) and status[1] not in _WORTH_ASKING_AGAIN
    return isinstance(error, _FINAL) or told_no or _GIVEN_UP.search(text) is not None or "Invalid range" in text


def is_absent(error: Exception) -> bool:
    """Whether it is the object that is absent."""
    status = _STATUS.search(str(error))
    return status is not None and status[1] == "404" and not no_bucket(error)


def no_bucket(error: Exception) -> bool:
    """Whether it is the bucket that is absent, rather than an object in it."""
    return any(code in str(error) for code in ("NoSuchBucket", "ContainerNotFound", "bucket does not exist"))


def store_error(error: Exception, where: str) -> StoreError:
    """A StoreError that says what a service refused, where, and what to do.

    Args:
        error: as raised by obstore.
        where: the URL of the object or folder.
    """
    text = str(error)
    code, status = _CODE.search(text), _STATUS.search(text)
    told = " ".join(part[1] for part in (status, code) if part)
    if no_bucket(error):
        return StoreError("there is no such bucket", where=where, todo="create it, or mend the URL")
    if _METADATA_HOST in text:
        todo = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_SKIP_SIGNATURE=true for a public bucket)"
        return StoreError("no credentials for this store", where=where, todo=todo)
    if isinstance(error, refused.PermissionDeniedError | refused.UnauthenticatedError):
        todo = "check the keys in the environment and what they may do in this bucket"
        return StoreError(f"access denied ({told or _first_line(text)})", where=where, todo=todo)
    if status is not None and status[1].startswith("3"):
        return StoreError(f"the bucket lies elsewhere ({told})", where=where, todo="set AWS_REGION or AWS_ENDPOINT_URL")
    if status is None and "HTTP error" in text:
        todo = f"check AWS_ENDPOINT_URL and the network; {_KEPT}"
        return StoreError(f"the service does not answer ({_first_line(text)})", where=where, todo=todo)
    return StoreError(f"the service refuses ({told or _first_line(text)})", where=where, todo=_KEPT)


def _first_line(text: str) -> str:
    return without_secrets(text.strip().partition("\n")[0]).removeprefix("Generic S3 error: ").strip()
