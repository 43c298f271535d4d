"""Trains the built-in network `street-tiny` on synthetic streets and records the run.

python scripts/train_street_tiny.py --out stages/segment/cards --record docs/street-tiny.md
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from safetensors.torch import save_file
from tqdm import tqdm

from paintpipe.schemas.model_card import ModelCard
from paintpipe.schemas.settings import SegmentSettings
from paintpipe.stages.segment.archive import sha256_of
from paintpipe.stages.segment.card import card_to_toml
from paintpipe.stages.segment.segmenter import load_segmenter
from paintpipe.stages.segment.train import TrainSettings, confusion_matrix, export_state, train_bisenetv2
from paintpipe.stages.synth.settings import CLASSES
from paintpipe.stages.synth.views import LabelledView, ViewPlan, render_views

TRAIN_SEEDS = range(100_000, 100_036)
HELD_OUT_SEEDS = range(200_000, 200_010)
CARD = ModelCard(
    name="street-tiny",
    architecture="bisenetv2",
    architecture_options={"width": 0.5, "head": "pixel-shuffle", "head_channels": 256},
    taxonomy="synthetic",
    weights="street-tiny.safetensors",
    mean=(0.5, 0.5, 0.5),
    std=(0.25, 0.25, 0.25),
    stride_px=1,
    licence="Apache-2.0",
    source="trained by this project: scripts/train_street_tiny.py, recorded in docs/street-tiny.md",
    trained_on="synthetic streets of `paintpipe synth` only",
    notes="Knows synthetic streets only. It has never seen a photograph: do not use it on real images.",
)


def main() -> None:
    """Render, train, export, measure, record."""
    options = _options()
    started = time.monotonic()
    plan = ViewPlan()
    views = list(tqdm(render_views(TRAIN_SEEDS, plan), "rendering", len(TRAIN_SEEDS) * _per_street(plan)))
    rendered = time.monotonic()
    settings = TrainSettings(steps=options.steps, seed=options.seed, threads=options.threads)
    with tqdm(desc="training", total=settings.steps) as bar:

        def show(_: int, loss: float) -> None:
            bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
            bar.update()

        examples = [(view.image_rgb, view.labels) for view in views]
        module = train_bisenetv2(CARD, len(CLASSES), examples, settings, show)
    trained = time.monotonic()
    weights = options.out / CARD.weights
    save_file(export_state(module), weights)
    weights.chmod(0o644)  # save_file leaves it to its owner alone, and a wheel keeps that
    card = replace(CARD, weights_sha256=sha256_of(weights))
    (options.out / "street-tiny.toml").write_text(card_to_toml(card), encoding="utf-8")
    held_out = list(tqdm(render_views(HELD_OUT_SEEDS, plan), "measuring", len(HELD_OUT_SEEDS) * _per_street(plan)))
    tables = measure(card, weights, held_out, options.threads)
    minutes = ((rendered - started) / 60, (trained - rendered) / 60)
    text = record(settings, len(views), len(held_out), minutes, weights.stat().st_size, tables)
    options.record.write_text(text, encoding="utf-8")
    print(text)


def measure(card: ModelCard, weights: Path, views: list[LabelledView], threads: int) -> dict[str, np.ndarray]:
    """Confusion matrix of the shipped weights by layout, at the images' full size."""
    segmenter = load_segmenter(card, weights, len(CLASSES), SegmentSettings(threads=threads))
    tables = {
        layout: np.zeros((len(CLASSES), len(CLASSES)), dtype=np.int64) for layout in ("semantickitti", "nuscenes")
    }
    for view in views:
        found = segmenter.predict([view.image_rgb])[0].values.argmax(axis=0).astype(np.uint8)
        tables[view.layout] += confusion_matrix(view.labels, found, len(CLASSES))
    return tables | {"both": tables["semantickitti"] + tables["nuscenes"]}


def iou(table: np.ndarray) -> np.ndarray:
    """(C,) intersection over union by class."""
    hit = np.diag(table)
    ious: np.ndarray = hit / np.maximum(table.sum(axis=0) + table.sum(axis=1) - hit, 1)
    return ious


def record(
    settings: TrainSettings,
    trained_on: int,
    measured_on: int,
    minutes: tuple[float, float],
    size: int,
    tables: dict[str, np.ndarray],
) -> str:
    """The run as a page of docs."""
    rows = [(name, *(f"{iou(table)[index]:.3f}" for table in tables.values())) for index, name in enumerate(CLASSES)]
    rows.append(("**mean**", *(f"**{iou(table).mean():.3f}**" for table in tables.values())))
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    return _PAGE.format(
        trained_on=trained_on,
        measured_on=measured_on,
        train_seeds=f"{TRAIN_SEEDS[0]} to {TRAIN_SEEDS[-1]}",
        held_out=f"{HELD_OUT_SEEDS[0]} to {HELD_OUT_SEEDS[-1]}",
        options=CARD.architecture_options,
        size=size / 1e6,
        rendering=minutes[0],
        training=minutes[1],
        settings=", ".join(f"`{name}={value}`" for name, value in vars(settings).items()),
        table=table,
    )


_PAGE = """# street-tiny

The built-in network: a BiSeNetV2 (`{options}`),
{size:.2f} MB of float16 safetensors, ten classes (taxonomy `synthetic`).
It exists so that `paintpipe demo` and the tests have a real network without a download. **It knows synthetic streets
only; it has never seen a photograph and must not be used on real images.**

Written by `python scripts/train_street_tiny.py`, which renders its own pictures (`stages/synth/views.py`), trains
(`stages/segment/train.py`) and measures the file that it ships.

- Trained on {trained_on} pictures of the streets of seeds {train_seeds}: the front camera of the SemanticKITTI layout
  and the six cameras of the nuScenes layout.
- Settings: {settings}.
- Time on a CPU: {rendering:.1f} minutes to render, {training:.1f} minutes to train.
- Measured on {measured_on} pictures of streets of seeds {held_out}, which training never saw, at full size, without
  augmentation; intersection over union by class:

| class | SemanticKITTI layout | nuScenes layout | both |
| --- | --- | --- | --- |
{table}
"""


def _per_street(plan: ViewPlan) -> int:
    return plan.front_views + 6 * plan.ring_views


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for street-tiny.toml and its weights")
    parser.add_argument("--record", type=Path, required=True, help="Markdown file that the run is recorded in")
    parser.add_argument("--steps", type=int, default=TrainSettings.steps)
    parser.add_argument("--seed", type=int, default=TrainSettings.seed)
    parser.add_argument("--threads", type=int, default=TrainSettings.threads)
    return parser.parse_args()


if __name__ == "__main__":
    main()
