"""A tiny dataset whose every name tries to become markup, script or a spreadsheet's formula."""

import csv
from pathlib import Path

import cv2
import numpy as np
from support.command import paintpipe, succeed

SEQUENCE = "monday"
"""Ingest takes no sequence that could not name a folder; one that tries is a rejected row."""
REJECTED = "=1+1 <script>alert(0)"
FRAME = "=cmd|'<script>alert(1)\"onerror=x"
CAMERA = "<script>alert(3)</script>"
CATEGORY = "@SUM(1+1)<img src=x onerror=alert(4)>"
NAMES = (REJECTED, FRAME, CAMERA, CATEGORY)
SPEC = f"""
name = "hostile"
root = "data"
[points]
pattern = "{{sequence}}/lidar/{{frame}}.bin"
[[cameras]]
name = "{CAMERA}"
image = "{{sequence}}/image/{{frame}}.png"
K = [[60.0, 0.0, 40.0], [0.0, 60.0, 20.0], [0.0, 0.0, 1.0]]
camera_SE3_lidar = [[0.0, -1.0, 0.0, 0.0], [0.0, 0.0, -1.0, 0.0], [1.0, 0.0, 0.0, 0.0]]
[labels]
pattern = "{{sequence}}/labels/{{frame}}.label"
taxonomy = "semantickitti19"
[boxes]
pattern = "{{sequence}}/boxes.csv"
taxonomy = "kitti-det4"
"""


def hostile_workspace(folder: Path) -> Path:
    """The dataset, ingested with a rejected file, painted by the oracle and evaluated."""
    drive, workspace = folder / "data" / SEQUENCE, folder / "workspace"
    for name in ("lidar", "image", "labels"):
        (drive / name).mkdir(parents=True)
    rng = np.random.default_rng(0)
    points = np.column_stack([rng.uniform(4, 20, 400), rng.uniform(-2, 2, (400, 2)), rng.uniform(0, 1, 400)])
    points.astype("<f4").tofile(drive / "lidar" / f"{FRAME}.bin")
    (drive / "lidar" / "<b>broken.bin").write_bytes(b"123")
    (folder / "data" / REJECTED / "lidar").mkdir(parents=True)
    (folder / "data" / REJECTED / "lidar" / "0.bin").write_bytes(bytes(160))
    rng.choice(np.array([10, 40, 70], "<u4"), 400).tofile(drive / "labels" / f"{FRAME}.label")
    cv2.imwrite(str(drive / "image" / "x.png"), rng.integers(0, 255, (40, 80, 3), dtype=np.uint8))
    (drive / "image" / "x.png").rename(drive / "image" / f"{FRAME}.png")
    with (drive / "boxes.csv").open("w", newline="") as handle:
        rows = csv.writer(handle)
        rows.writerow(["frame", "class", "x", "y", "z", "l", "w", "h", "yaw"])
        rows.writerow([FRAME, CATEGORY, 9, 0, 0, 4, 2, 2, 0])
    (folder / "hostile.toml").write_text(SPEC)
    assert paintpipe("ingest", "custom", folder / "hostile.toml", "-w", workspace, "-q").code == 1
    succeed("paint", "-w", workspace, "--oracle", "-q")
    succeed("evaluate", "-w", workspace, "-q")
    return workspace
