"""What object stores do besides: writes on condition, and errors in one clear line without a secret."""

import sys
import time
from pathlib import Path

import pytest
from support.object_servers import BUCKET, SECRET, free_ports, use_endpoint
from support.together import together

from paintpipe.pipeline.folders import connect
from paintpipe.pipeline.folders.local import LocalFolder
from paintpipe.pipeline.folders.objects import ObjectFolder
from paintpipe.pipeline.folders.open import open_folder
from paintpipe.pipeline.folders.urls import is_url, parse_url, without_secrets
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
    told = without_secrets("GET https://a.b/c?sig=xyz&x=1 session-token-value sas-token-value eu-central-1 'x'")
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
