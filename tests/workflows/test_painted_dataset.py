"""`PaintedDataset`: the store's frames as tensors, in this process and in a DataLoader's workers."""

import pickle
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.command import succeed
from support.transforms import mark_points
from torch.utils.data import DataLoader

from paintpipe import PaintedDataset, collate_points, open_painted
from paintpipe.schemas.errors import ConfigError, WorkspaceError

PAGE = Path(__file__).parents[2] / "docs/export/pytorch.md"


@pytest.fixture(scope="module")
def painted(drive: Path, ingested: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The drive painted from its masks, all but its last frame."""
    whole = Path(shutil.copytree(ingested, tmp_path_factory.mktemp("dataset") / "drive"))
    paint = ("paint", "-w", whole, "--from-masks", drive / "masks", "-q", "--frames-per-shard", 1, "--limit", 4)
    succeed(*paint)
    return whole


def drop_points(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "points": item["points"][:-1]}


def test_items_are_the_frames_of_the_store(painted: Path) -> None:
    dataset = PaintedDataset(painted)
    assert (len(dataset), dataset.num_left_out) == (4, 1)
    assert dataset.features == ("x", "y", "z", "intensity")
    store = open_painted(painted)
    for number, frame in zip(range(4), store.sequence("08"), strict=False):
        item, layer = dataset[number], frame.layer("masks")
        assert item["points"].numpy().tobytes() == frame.points.tobytes()
        assert (item["scores"].numpy() == layer.scores).all()
        for name in ("label", "camera", "flags"):
            assert item[name].numpy().tolist() == getattr(layer, name).tolist()
        assert (item["frame_id"], item["sequence"], item["index"]) == (frame.frame_id, "08", number)
        assert item["boxes"].shape == (0, 7)
    with pytest.raises(IndexError):
        dataset[4]


def test_a_mapped_selection(painted: Path) -> None:
    dataset = PaintedDataset(painted, "masks", taxonomy="kitti-det4", classes=("car",), one_hot=True, fov_only=True)
    item = dataset[0]
    assert dataset.channels == ("car",)
    assert set(np.unique(item["scores"])) <= {0.0, 1.0}
    assert (item["scores"][:, 0].bool() == (item["label"] == 0)).all()
    assert len(item["points"]) < len(PaintedDataset(painted)[0]["points"])
    with pytest.raises(ConfigError, match="no frame is in split 'train'"):
        PaintedDataset(painted, splits=("train",))
    with pytest.raises(WorkspaceError, match="no painted layer 'other'"):
        PaintedDataset(painted, "other")


def test_a_pickle_holds_no_data_and_opens_elsewhere(painted: Path) -> None:
    dataset = PaintedDataset(painted)
    first = dataset[0]
    packed = pickle.dumps(dataset)
    assert len(packed) < 20_000
    again = pickle.loads(packed)[0]  # our own, a moment old
    assert torch.equal(again["points"], first["points"])


def test_a_batch_of_ragged_clouds(painted: Path) -> None:
    dataset = PaintedDataset(painted)
    items = [dataset[0], dataset[1]]
    batch = collate_points(items)
    counts = [len(item["points"]) for item in items]
    assert batch["offsets"].tolist() == [0, counts[0], sum(counts)]
    assert batch["batch"].bincount().tolist() == counts
    assert torch.equal(batch["scores"][counts[0] :], items[1]["scores"])
    assert batch["frame_id"] == [items[0]["frame_id"], items[1]["frame_id"]]
    assert [boxes.shape for boxes in batch["boxes"]] == [(0, 7), (0, 7)]
    with pytest.raises(ConfigError, match="per-point tensors of different lengths"):
        collate_points([drop_points(items[0])])


@pytest.mark.parametrize("how", ["fork", "spawn"])
def test_in_the_workers_of_a_loader(how: str, painted: Path) -> None:
    """This process has read the store before it forks: what it has open must not be used in the child."""
    dataset = PaintedDataset(painted, transform=mark_points)
    wanted = [dataset[number]["height"].item() for number in range(4)]
    workers = 2 if how == "fork" else 1
    loader = DataLoader(
        dataset, 2, num_workers=workers, collate_fn=collate_points, multiprocessing_context=how, timeout=60
    )
    found = [height.item() for batch in loader for height in batch["height"]]
    assert found == wanted


def test_the_training_loop_of_the_page_runs_as_written(
    painted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[0]
    assert len([line for line in code.splitlines() if line.strip()]) <= 20
    (tmp_path / "demo").symlink_to(painted)
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    exec(compile(code, str(PAGE), "exec"), {"__name__": "__main__"})
    losses = [float(line.split()[-1]) for line in capsys.readouterr().out.splitlines()]
    assert losses[-1] < losses[0]
