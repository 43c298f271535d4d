import re
import subprocess
import sys

from support.benchmarks import FOLDER, load_benchmark


def test_the_gpus_code_path_runs_on_the_processor(tmp_path):
    weights = tmp_path / "bisenetv2.safetensors"
    load_benchmark("random_bisenetv2").write_weights(weights)
    options = "--device cpu --precision fp32 --batch-size 2 --threads 1 --shards 2 --frames 2 --seconds 0.2"
    options += " --size 128x64 --points 2000"
    words = [sys.executable, str(FOLDER / "gpu_engine.py"), str(weights), *options.split()]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    alone, engine = (float(re.search(rf"\| {name}[^|]*\| (\S+) \|", done.stdout)[1]) for name in ("network", "engine"))
    assert engine > 0
    assert alone > 0
    assert f"engine / network: {engine / alone:.1f}"[:-1] in done.stdout


def test_its_frames_are_seen_by_their_camera_and_painted():
    engine = load_benchmark("gpu_engine")
    from paintpipe.stages.paint.project import project_points
    from paintpipe.workflows.frame_io import camera_view

    scene = engine.Scene()
    (job,) = engine.jobs(scene, 1)
    points = engine.memory(scene).points(job.row)
    assert points.shape == (scene.points, 4)
    visible = len(project_points(points, camera_view(job.images[0]), "default").u_px)
    assert 0.1 < visible / scene.points < 0.3  # as KITTI's front camera does: 0.15
