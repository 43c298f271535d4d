"""The folder of an export: locked, with marks of what is done, and nothing in it that is not the export's."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from paintpipe.pipeline.changes import digest_of, explain_change
from paintpipe.pipeline.folders.local import LocalFolder
from paintpipe.pipeline.ledger import MARKS_AT_ONCE, Ledger, Mark
from paintpipe.pipeline.lock import workspace_lock
from paintpipe.pipeline.publish import remove_empty_folders
from paintpipe.pipeline.shards import Shard
from paintpipe.pipeline.verify import verify_mark
from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.errors import ChangedInputError, ConfigError
from paintpipe.schemas.export import EXPORT_FORMAT
from paintpipe.workflows.catalog import Catalog
from paintpipe.workflows.export_finish import FINISH
from paintpipe.workflows.export_grown import grown, sequences_there
from paintpipe.workflows.export_plan import Part, Plan, make_plan
from paintpipe.workflows.export_tasks import OWN_FOLDER
from paintpipe.workflows.stores import OpenStore

if TYPE_CHECKING:
    from paintpipe.workflows.export_prepare import Prepared

_AGAIN = "use another --out, or --overwrite to write it again"


@dataclass(frozen=True)
class Out:
    """An export's folder, held by this run.

    Attributes:
        folder: all of it.
        target: name of the format.
    """

    folder: LocalFolder
    target: str

    @property
    def ledger(self) -> Ledger:
        """Its marks."""
        return Ledger(self.folder.folder(f"{OWN_FOLDER}/ledger"))

    @property
    def runs(self) -> Path:
        """Where a run says how far it is."""
        return self.folder.path / OWN_FOLDER / "runs"

    def plan(self, run: "Prepared", limit: int | None) -> Plan:
        """The parts that are asked for, and those that are here already."""
        also = sequences_there(run, self._every_mark())
        return make_plan(run.catalog, run.opened, run.source.layer.name, run.wanted(limit), run.sweeps, also)

    def marked(self, plan: Plan) -> list[Shard]:
        """The shards of a plan that are marked, in its order."""
        there = set(self.ledger.mark_paths(self.target))
        return [part.shard for part in plan.parts if self.ledger.path(self.target, part.shard) in there]

    def waiting(self, run: "Prepared", plan: Plan, *, overwrite: bool) -> list[Shard]:
        """The shards that have still to be exported; with `overwrite`, those that are to be exported again among them.

        A recording whose sequence has grown is among them too: it is written anew, its mark removed before.

        Raises:
            ChangedInputError: a shard was exported from other paint or with other settings, or is painted no more.
        """
        parts = plan.by_shard()
        if overwrite:
            self._drop(run, parts)
        self.check_card(run)
        grew = grown(run, plan.parts, self._every_mark())
        stale = [m for m in self._every_mark() if m.shard not in parts and m.shard.sequence not in grew]
        if stale:
            what = f"layer {run.source.layer.name} no longer holds what was exported, or --split leaves it out"
            raise ChangedInputError(what, where=f"{stale[0].shard.sequence}, shard {stale[0].shard.index}", todo=_AGAIN)
        inputs = {shard: partial(run.inputs, part) for shard, part in parts.items()}
        settled = [shard for shard in parts if shard not in grew.values()]
        todo = self.ledger.pending(self.target, settled, lambda shard: inputs[shard](), self.folder, _AGAIN)
        wanted = {*todo, *grew.values()}
        return [shard for shard in parts if shard in wanted]

    def check_whole_sequences(self, run: "Prepared", plan: Plan) -> None:
        """Raises ChangedInputError where a recording's sequence has grown, so that the two can't be compared."""
        for sequence in grown(run, plan.parts, self._every_mark()):
            todo = "run the same command without --check, which records it anew"
            raise ChangedInputError("has grown since it was recorded", where=sequence, todo=todo)

    def check_exported(self) -> None:
        """Raises ConfigError where nothing is exported yet, so that there is nothing to check."""
        if not self.ledger.mark_paths(self.target):
            raise _no_export(self.folder.path, self.target)

    def check_card(self, run: "Prepared") -> None:
        """Raises ChangedInputError where what is here was exported with other settings, or from another layer."""
        mark = next(self._every_mark(), None)
        now = {"export_format": EXPORT_FORMAT, **run.source.facts.card}
        if mark is not None:
            old = {"export_format": mark.inputs.get("export_format"), **mark.inputs.get("card", {})}
            if old != now:
                what = f"was exported otherwise: {explain_change(old, now)}"
                raise ChangedInputError(what, where=self.folder.url, todo=_AGAIN)

    def num_frames(self, parts: tuple[Part, ...]) -> int:
        """Frames that these parts hold."""
        return sum(len(mark.rows) for mark in self._marks(parts))

    def rejects(self, catalog: Catalog, parts: tuple[Part, ...]) -> dict[str, str]:
        """Frame → why these parts do without it."""
        found = {}
        for mark in self._marks(parts):
            for index, reason in mark.rejects.items():
                frame = catalog.frames(mark.shard.sequence, index, index + 1)[0]
                found[f"{frame.sequence}/{frame.frame_id}"] = reason
        return found

    def _every_mark(self) -> Iterator[Mark]:
        return (mark for _, mark in self.ledger.marks(self.target) if mark is not None)

    def _marks(self, parts: tuple[Part, ...]) -> Iterator[Mark]:
        shards = [part.shard for part in parts]
        for start in range(0, len(shards), MARKS_AT_ONCE):
            found = self.ledger.find(self.target, shards[start : start + MARKS_AT_ONCE])
            yield from (mark for mark in found if mark is not None)

    def _drop(self, run: "Prepared", parts: dict[Shard, Part]) -> None:
        """Delete what other paint or settings made, what is damaged, and all that lies over all frames.

        The folders that were made for these files go too, unless somebody put something else into them.
        Files go before their mark: a run that is killed here finds the rest by it.
        """
        for target in self.ledger.root.names().folders:
            for path, mark in self.ledger.marks(target):
                part = parts.get(mark.shard) if mark is not None and target == self.target else None
                if mark is not None and part is not None and _as_it_was(self.folder, mark, digest_of(run.inputs(part))):
                    continue
                names = tuple(mark.files) if mark is not None else ()
                for name in names:
                    self.folder.remove(name)
                remove_empty_folders(self.folder.path, names)
                self.ledger.root.remove(path)
                remove_empty_folders(self.folder.path, [f"{OWN_FOLDER}/ledger/{path}"])


@contextmanager
def open_out(path: Path, target: str, *, overwrite: bool, new: bool = True) -> Iterator[Out]:
    """Hold the folder for an export to `target`; what a killed run left in it is deleted.

    Args:
        path: of the folder.
        target: name of the format.
        overwrite: whether an export to another target may be there.
        new: whether the folder may be empty or absent.

    Raises:
        ConfigError: it holds something else than such an export.
        WorkspaceLockedError: another run writes into it.
    """
    folder = LocalFolder(path)
    own, names = path / OWN_FOLDER, folder.names()
    if (names.folders or names.files) and not own.is_dir():
        what, todo = "the folder is not empty, and holds no export", "give --out a new folder"
        raise ConfigError(what, where=str(path), todo=todo)
    if not new and not own.is_dir():
        raise _no_export(path, target)
    out = Out(folder, target)
    with workspace_lock(out.ledger.root):
        folders = (name for name in out.ledger.root.names().folders if name not in (target, FINISH))
        others = [name for name in folders if out.ledger.mark_paths(name)]
        if others and not overwrite:
            raise ConfigError(f"holds an export to {others[0]}", where=str(path), todo=_AGAIN)
        folder.clean_staging()
        yield out


def check_place(path: Path, workspace: Path, opened: OpenStore) -> None:
    """Raises ConfigError for an output inside what paintpipe keeps: its catalog, store, ledger, tables and figures."""
    own = Workspace(workspace)
    kept = [own.catalog, own.ledger, own.tables, own.figures]
    kept += [folder.path for folder in (opened.store.root, opened.ledger.root) if isinstance(folder, LocalFolder)]
    try:
        whole = path.resolve()
    except (OSError, RuntimeError) as error:
        raise ConfigError("is a link that leads nowhere", where=str(path), todo="give --out a folder") from error
    if any(whole.is_relative_to(folder.resolve()) for folder in kept):
        what = "lies in a folder that the workspace keeps for itself"
        raise ConfigError(what, where=str(path), todo="give --out a folder elsewhere")


def _no_export(path: Path, target: str) -> ConfigError:
    todo = "name the folder of an export, or run the same command without --check"
    return ConfigError(f"holds no export to {target}", where=str(path), todo=todo)


def _as_it_was(folder: LocalFolder, mark: Mark, digest: str) -> bool:
    """Whether writing a part again would give what is there."""
    return mark.digest == digest and next(verify_mark(folder, mark), None) is None
