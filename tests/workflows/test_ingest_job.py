import pickle
from pathlib import Path

import pytest

from paintpipe.stages.ingest.reader import IngestOptions
from paintpipe.workflows.ingest_job import ReadJob, Source


@pytest.mark.parametrize(("root", "there"), [("data/kitti", "{here}/data/kitti"), ("s3://bucket/kitti",) * 2])
def test_a_worker_with_another_working_folder_opens_the_same_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: str, there: str
) -> None:
    monkeypatch.chdir(tmp_path)
    job = pickle.loads(pickle.dumps(ReadJob(Source("kitti", root, IngestOptions((), None, False, None)))))
    assert job.source.root == there.format(here=tmp_path)
