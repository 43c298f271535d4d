import subprocess
import sys

import pytest
from support.benchmarks import load_benchmark

memory = load_benchmark("memory")


def test_drives_are_a_few_frames_under_many_names(tmp_path):
    memory.write_drives(tmp_path / "drive", 15, length=9)
    folders = sorted((tmp_path / "drive" / "sequences").iterdir())
    assert [folder.name for folder in folders] == ["00", "01"]
    points = [sorted((folder / "velodyne").iterdir()) for folder in folders]
    assert [path.name for path in points[0]] == [f"{index:06d}.bin" for index in range(9)]
    assert len(points[1]) == 6
    assert len({path.stat().st_ino for path in points[0] + points[1]}) == memory.DISTINCT
    assert points[0][1].samefile(points[1][5])
    assert len((folders[1] / "poses.txt").read_text().splitlines()) == 6
    assert len(set((folders[0] / "times.txt").read_text().splitlines())) == 9


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_peak_of_a_process_is_what_it_had_at_most():
    code = "block = bytearray(b'x') * (64 << 20); del block; print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        assert 64_000 < memory.peak_kb(other.pid) < 110_000
        other.communicate(b"\n")
    assert memory.peak_kb(2**22 + 1) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_command_and_its_workers_are_told_apart(monkeypatch):
    code = (
        "import subprocess, sys, time; block = bytearray(b'x') * (60 << 20); "
        "subprocess.run([sys.executable, '-c', 'import time; block = bytearray(b\"x\") * (120 << 20); time.sleep(1)'])"
    )
    monkeypatch.setattr(memory, "COMMAND", [sys.executable, "-c", code])
    found = memory.peaks([])
    assert 60 < found.command_mb < 110
    assert 120 < found.worker_mb < 170
