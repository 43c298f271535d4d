"""What object stores do besides: writes on condition, and errors in one clear line without a secret."""

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest
from support.object_servers import BUCKET, SECRET, free_ports, use_endpoint
from support.together import together
from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, SuffixByteRequest
from zarr.core.buffer import default_buffer_prototype

from paintpipe.pipeline.folders import connect
from paintpipe.pipeline.folders.local import LocalFolder
from paintpipe.pipeline.folders.objects import ObjectFolder
from paintpipe.pipeline.folders.open import open_folder
from paintpipe.pipeline.folders.urls import is_url, parse_url, without_secrets
from paintpipe.pipeline.folders.zarr_objects import ObjectZarr
from paintpipe.schemas.errors import ConfigError, MissingExtraError, PaintpipeError, StoreError


def test_of_many_creators_one_alone_succeeds(objects: ObjectFolder) -> None:
    results = together([lambda index=index: objects.create("lock", b"%d" % index) for index in range(8)])
    assert sorted(results) == [False] * 7 + [True]
    assert objects.read("lock") == b"%d" % results.index(True)
    assert not objects.create("lock", objects.read("lock")), "the same words don't make it ours"


def test_of_many_that_replace_a_version_one_alone_succeeds(objects: ObjectFolder) -> None:
    assert objects.version("lock") is None
    assert objects.create("lock", b"old")
    old = objects.version("lock")
    assert old is not None
    results = together([lambda index=index: objects.replace("lock", b"%d" % index, old) for index in range(8)])
    assert sorted(results) == [False] * 7 + [True]
    assert objects.read("lock") == b"%d" % results.index(True)
    objects.remove("lock")
    assert not objects.replace("lock", b"again", old)
    assert objects.size("lock") is None


def test_writers_of_a_mark_who_differ_leave_none(objects: ObjectFolder) -> None:
    objects.mark("m/one", b"first")
    with pytest.raises(StoreError, match="differently"):
        objects.mark("m/one", b"second")
    assert objects.size("m/one") is None
    objects.mark("m/one", b"second")
    assert objects.read("m/one") == b"second"


def test_reading_many_stays_a_few_ahead_of_who_asks(objects: ObjectFolder) -> None:
    objects.publish({f"m/{number}": b"%d" % number for number in range(80)})
    asked: list[str] = []

    def paths() -> Iterator[str]:
        for number in range(80):
            asked.append(f"m/{number}")
            yield asked[-1]

    found = objects.read_many(paths())
    assert next(found) == b"0"
    assert len(asked) < 40, "else a verify of a million frames holds all marks"
    assert list(found) == [b"%d" % number for number in range(1, 80)]


def test_deleting_goes_on_past_what_is_absent(objects: ObjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    real = obstore.delete

    def delete(client: object, keys: str | list[str]) -> None:
        # GCS and Azure, asked again after a lost answer: the first is deleted already, and there it ends.
        if isinstance(keys, list):
            real(client, keys[:1])  # type: ignore[arg-type]
            raise FileNotFoundError(keys[0])
        real(client, keys)  # type: ignore[arg-type]

    objects.publish({"a/one": b"1", "a/two": b"2", "a/three": b"3"})
    monkeypatch.setattr(obstore, "delete", delete)
    objects.remove_folder("a")
    assert list(objects.walk()) == []


def test_parts_of_objects_as_zarr_asks_for_them(objects: ObjectFolder) -> None:
    objects.publish({"a": b"0123456789", "empty": b""})
    store = ObjectZarr(objects)

    def get(key: str, part: ByteRequest) -> bytes | None:
        found = asyncio.run(store.get(key, default_buffer_prototype(), part))
        return None if found is None else found.to_bytes()

    asked = (RangeByteRequest(2, 4), SuffixByteRequest(3), SuffixByteRequest(99), OffsetByteRequest(8))
    assert [get("a", part) for part in asked] == [b"23", b"789", b"0123456789", b"89"]
    assert [get("empty", part) for part in asked[1:]] == [b""] * 3
    assert [get("none", part) for part in asked] == [None] * 4


@pytest.mark.parametrize("times", [1, 9])
def test_an_upload_that_the_service_has_forgotten_is_made_anew(
    objects: ObjectFolder, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    real, calls = obstore.put, []

    def put(*arguments: object, **options: object) -> None:
        calls.append(arguments)
        if len(calls) <= times:
            raise FileNotFoundError("Object not found: NoSuchUpload")
        real(*arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(obstore, "put", put)
    if times == 1:
        objects.publish({"big": b"1"})
        assert objects.read("big") == b"1"
    else:
        with pytest.raises(StoreError, match=f"{objects.url}/big: the service forgets"):
            objects.publish({"big": b"1"})


def test_the_content_of_a_mark_holds_no_attempt(objects: ObjectFolder) -> None:
    objects.mark("m/one", b"content")
    found = objects.version("m/one")
    assert found is not None
    assert (found.content, len(found.attempt)) == (b"content", 32)


def test_a_dead_endpoint_is_one_clear_line_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    use_endpoint(monkeypatch, free_ports(1)[0])
    folder = ObjectFolder("s3://bucket/place")
    for call in (
        lambda: folder.publish({"a": b"1"}),
        lambda: folder.mark("a", b"1"),
    ):
        begin = time.monotonic()
        with pytest.raises(StoreError, match=r"s3://bucket/place.*does not answer.*AWS_ENDPOINT_URL") as caught:
            call()
        assert time.monotonic() - begin < 10
        assert "\n" not in str(caught.value)
        assert SECRET not in str(caught.value)


def test_no_such_bucket_and_no_such_key(moto: str) -> None:
    missing = ObjectFolder("s3://no-such-bucket-of-ours/place")
    for call in (
        lambda: missing.publish({"a": b"1"}),
        lambda: missing.read("a"),
        lambda: missing.names(),
        lambda: missing.create("a", b"1"),
    ):
        with pytest.raises(StoreError, match="no such bucket"):
            call()


def test_access_denied_names_no_secret(monkeypatch: pytest.MonkeyPatch, seaweedfs_port: int) -> None:
    use_endpoint(monkeypatch, seaweedfs_port)
    with pytest.raises(StoreError, match="access denied") as caught:
        ObjectFolder("s3://somebody-elses/place").publish({"a": b"1"})
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "s3://key:a-secret@bucket/x",
        "s3://bucket/x?sig=a-secret",
        "az://container/x#a-secret",
        "file:///data/run#2",
        "s3://bucket/../x",
        "s3:///x",
        "memory://",
        "ftp://host/x",
        "http://host/x",
        "file://host/x",
    ],
)
def test_urls_that_make_no_sense(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_folder(url)
    assert "a-secret" not in str(caught.value)


def test_urls_and_paths(tmp_path: Path) -> None:
    assert parse_url("S3://Bucket//a/./b/").url == "s3://Bucket/a/b"
    assert open_folder(f"file://{tmp_path}/a%20b") == LocalFolder(tmp_path / "a b")
    assert open_folder(str(tmp_path)) == open_folder(tmp_path) == LocalFolder(tmp_path)
    assert [is_url(text) for text in ("s3://b", "memory://x", "C:/x", "a/b", "/a://b", "./s3://x")] == [True] * 2 + [
        False
    ] * 4


def test_messages_lose_query_strings_and_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session-token-value")
    monkeypatch.setenv("AZURE_STORAGE_SAS_TOKEN", "sas-token-value")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    told = without_secrets("GET https://me:pw@a.b/c?sig=xyz&x=1 session-token-value sas-token-value eu-central-1 'x'")
    assert told == "GET https://a.b/c … … eu-central-1 'x'"


def test_without_obstore_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    monkeypatch.setattr(connect, "_clients", {})
    with pytest.raises(MissingExtraError, match=r"paintpipe\[cloud\]"):
        open_folder("s3://bucket/x")


def test_settings_that_make_no_sense_are_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "_clients", {})
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/no/such/file.json")
    with pytest.raises(PaintpipeError, match="gs://bucket") as caught:
        open_folder("gs://bucket/x").names()
    assert "\n" not in str(caught.value)


def test_memory_is_one_a_name_and_stays_in_this_process() -> None:
    one, other = ObjectFolder("memory://one"), ObjectFolder("memory://other")
    one.publish({"a": b"1"})
    assert (open_folder("memory://one").read("a"), other.size("a")) == (b"1", None)
    assert [one.shareable, ObjectFolder(f"s3://{BUCKET}").shareable, open_folder("x").shareable] == [False, True, True]
