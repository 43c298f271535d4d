"""`paintpipe plan`: what a run of paint would do, what it takes, and what would fail, told before it starts."""

import os
import shutil
from dataclasses import replace

from paintpipe.pipeline.faults import format_bytes
from paintpipe.pipeline.folders.folder import Folder
from paintpipe.pipeline.folders.local import LocalFolder
from paintpipe.pipeline.lock import lock_owner
from paintpipe.pipeline.lock_owner import locked
from paintpipe.pipeline.roots import open_root
from paintpipe.pipeline.shards import Shard
from paintpipe.pipeline.untouched import untouched
from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.errors import PaintpipeError
from paintpipe.workflows.catalog import Catalog, open_catalog
from paintpipe.workflows.counted import counted
from paintpipe.workflows.paint_inputs import paint_cameras
from paintpipe.workflows.paint_prepare import Prepared, prepare, selected_shards
from paintpipe.workflows.paint_request import PaintRequest, with_memory
from paintpipe.workflows.paint_tasks import Groups, Waiting, waiting_shards
from paintpipe.workflows.plan_files import FilesFound, check_files
from paintpipe.workflows.plan_result import EXIT_CODES, Finding, Plan
from paintpipe.workflows.plan_timing import Timing, time_frames
from paintpipe.workflows.stores import open_store, store_base
from paintpipe.workflows.workers import usable_cores


def plan(request: PaintRequest, frames: int) -> Plan:
    """Work out what `paint` would do with this request; takes no lock and writes nothing.

    Args:
        request: as for `paint`.
        frames: to be timed, 0 for none.

    Raises:
        WorkspaceError: no catalog.
    """
    workspace = Workspace(request.workspace)
    catalog = open_catalog(workspace.catalog)
    request = with_memory(request, workspace)
    findings = _locks(request, workspace)
    try:
        run = prepare(request, workspace, catalog)
    except PaintpipeError as error:
        return _without_painter(request, workspace, catalog, [*findings, Finding("stops", error.line())])
    waiting = _waiting(run, findings)
    shards = list(waiting)
    found = check_files(catalog, run.root, shards, run.plan.camera_names, run.painter, request.quiet)
    findings += _missing_files(found)
    timing = _timing(run, waiting, frames, findings)
    num_bytes = None if timing is None else _bytes(timing, waiting)
    seconds = None if timing is None else timing.frame_s(run.spread, usable_cores()) * sum(map(len, shards))
    free = _space(run.opened.store.root, num_bytes, findings)
    return Plan(
        dataset=_dataset(catalog),
        layer=run.layer,
        store=run.opened.store.root.url,
        settings=run.settings_json,
        frames=sum(map(len, run.shards)),
        shards=len(run.shards),
        frames_to_do=sum(map(len, shards)),
        shards_to_do=len(shards),
        found=found,
        timing=timing,
        num_bytes=num_bytes,
        free_bytes=free,
        seconds=seconds,
        findings=_sorted(findings),
    )


def _without_painter(request: PaintRequest, workspace: Workspace, catalog: Catalog, findings: list[Finding]) -> Plan:
    """What can be told where the painter can't be built, or the store not be opened: all frames, and their files."""
    shards: list[Shard] = []
    store, found, free = str(workspace.path), FilesFound(), None
    try:
        base = store_base(workspace, request.store)
        opened = open_store(workspace, request.store_format, request.frames_per_shard, base)
        store, free = opened.store.root.url, _space(opened.store.root, None, findings)
        shards = selected_shards(request, catalog, opened)
        root, cameras = open_root(catalog.info.root), paint_cameras(catalog, request.cameras)
        found = check_files(catalog, root, shards, cameras, None, request.quiet)
        findings += _missing_files(found)
    except PaintpipeError as error:
        findings += [] if Finding("stops", error.line()) in findings else [Finding("stops", error.line())]
    frames = sum(map(len, shards))
    findings = _sorted(findings)
    counts = (frames, len(shards), frames, len(shards))
    return Plan(_dataset(catalog), "", store, {}, *counts, found, None, None, free, None, findings)


def _sorted(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: -EXIT_CODES[finding.weight])


def _dataset(catalog: Catalog) -> str:
    return f"{catalog.info.dataset} {catalog.info.version}".strip()


def _locks(request: PaintRequest, workspace: Workspace) -> list[Finding]:
    try:
        places = {workspace.ledger: lock_owner(workspace.ledger)}
        ledger = store_base(workspace, request.store).folder("ledger")
        owners = {str(place): owner for place, owner in [*places.items(), (ledger.url, lock_owner(ledger))]}
    except PaintpipeError:
        return []  # `prepare` tells it
    return [
        Finding("stops", locked(place, owner).line())
        for place, owner in owners.items()
        if owner and not owner.is_gone()
    ]


def _waiting(run: Prepared, findings: list[Finding]) -> Waiting:
    """The shards to do; all of them where what is there was made otherwise, which is a finding."""
    opened = replace(run.opened, store=untouched(run.opened.store))
    try:
        if not run.request.overwrite:
            Groups(opened, run.catalog, run.description, run.request.points, False).settle(run.sequences)
        return waiting_shards(
            run.opened,
            run.targets,
            run.shards,
            run.inputs,
            overwrite=run.request.overwrite,
            quiet=run.request.quiet,
        )
    except PaintpipeError as error:
        findings.append(Finding("stops", error.line()))
        return dict.fromkeys(run.shards, run.targets)


def _missing_files(found: FilesFound) -> list[Finding]:
    if not found.bad:
        return []
    more = found.bad - len(found.first[:5])
    what = f"{counted(found.bad, 'file')} of {counted(found.bad_frames, 'frame')} can't be used: "
    return [Finding("partial", what + "; ".join(found.first[:5]) + (f"; and {more:,} more" if more else ""))]


def _timing(run: Prepared, waiting: Waiting, frames: int, findings: list[Finding]) -> Timing | None:
    if not waiting or not frames or any(finding.weight == "stops" for finding in findings):
        return None
    wanted = {target for targets in waiting.values() for target in targets}
    try:
        timing = time_frames(run, list(waiting), tuple(target for target in run.targets if target in wanted), frames)
    except PaintpipeError as error:
        findings.append(Finding("note" if run.away else "stops", f"no frame could be timed here: {error.line()}"))
        return None
    if timing.rejected:
        what = f"{counted(timing.rejected, 'file')} of the timed frames could not be used: time and size are guesses"
        findings.append(Finding("note", what))
    if run.spread.name == "dask":
        findings.append(Finding("note", "the time is that of one worker as fast as this machine; divide it by yours"))
    return timing


def _bytes(timing: Timing, waiting: Waiting) -> int:
    each = timing.num_bytes
    return round(sum(len(shard) * sum(each.get(name, 0) for name in names) for shard, names in waiting.items()))


def _space(store: Folder, num_bytes: int | None, findings: list[Finding]) -> int | None:
    """Free bytes where the store is to lie, None for an object store."""
    if not isinstance(store, LocalFolder):
        return None
    there = next(folder for folder in (store.path, *store.path.resolve().parents) if folder.exists())
    if not os.access(there, os.W_OK):
        findings.append(Finding("stops", f"{there}: no permission to write here; choose another --workspace"))
    free = shutil.disk_usage(there).free
    if num_bytes is not None and num_bytes > free:
        what = f"{there}: about {format_bytes(num_bytes)} are needed, {format_bytes(free)} are free"
        findings.append(Finding("stops", f"{what}; make room, or paint less (--no-points, --sequences, --limit)"))
    return free
