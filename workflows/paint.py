"""`paintpipe paint`: plan the shards, paint those that are not done, mark each when it is safe on disk."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paintpipe import __version__
from paintpipe.pipeline.events import Bus, RunEnded, RunStarted
from paintpipe.pipeline.executors import executor
from paintpipe.pipeline.ledger import Ledger
from paintpipe.pipeline.lock import workspace_lock
from paintpipe.pipeline.progress import ProgressBar
from paintpipe.pipeline.publish import clean_staging
from paintpipe.pipeline.report import RunReport
from paintpipe.pipeline.roots import LocalRoot
from paintpipe.pipeline.shards import Shard, plan_shards
from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.errors import ConfigError
from paintpipe.schemas.settings import PaintSettings, SegmentSettings, settings_to_dict
from paintpipe.stages.taxonomies.load import load_mapping
from paintpipe.workflows.catalog import Catalog, open_catalog
from paintpipe.workflows.choose_painter import PainterChoice, choose_painter
from paintpipe.workflows.painters import PixelPainter, PointPainter
from paintpipe.workflows.paint_frames import PaintPlan
from paintpipe.workflows.paint_shard import ShardPainter, ShardTask
from paintpipe.workflows.stores import open_store, prepare_layer


@dataclass(frozen=True)
class PaintRequest:
    """What to paint, with what, and where to; the fields are the options of `paintpipe paint`."""

    workspace: Path
    model: str | None = None
    weights: Path | None = None
    trust_model: str = ""
    segment: SegmentSettings = SegmentSettings()
    oracle: bool = False
    from_masks: Path | None = None
    from_predictions: Path | None = None
    taxonomy: str | None = None
    layer: str | None = None
    cameras: tuple[str, ...] = ()
    projection: Any = "default"
    overlap: Any = "margin"
    provenance: Any = "min"
    store_format: Any = None
    points: bool = True
    frames_per_shard: int | None = None
    sequences: tuple[str, ...] = ()
    limit: int | None = None
    executor: str = "threads"
    workers: int = 2
    overwrite: bool = False
    quiet: bool = False
