"""What the network is asked for, and a training from drawing to a file that the engine runs."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
import pytest
from django.conf import settings

torch = pytest.importorskip("torch", reason="torch is not installed: make train installs it")

from detection.onnx.engine import DetectorSettings, load_engine  # noqa: E402
from detection.onnx.runtime import Session, describe  # noqa: E402
from detection.training.fit import Config, train  # noqa: E402
from detection.training.material import CLASSES  # noqa: E402
from detection.training.network import Network  # noqa: E402
from detection.training.targets import CELLS, loss, maps  # noqa: E402
from detection.training.tiles import SIDE, Tile  # noqa: E402


def tile(*boxes: tuple[float, ...], ignored: tuple[tuple[float, ...], ...] = ()) -> Tile:
    return Tile(
        np.zeros((SIDE, SIDE, 6), np.uint8),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.zeros(len(boxes), np.int64),
        np.array(ignored, np.float32).reshape(-1, 4),
    )


def test_maps_by_hand() -> None:
    heat, where, weight = maps(tile((42, 40, 58, 72), ignored=((100, 100, 108, 108),)))
    # Centre (50, 56) px is 12.5 cells across and 14 down; the box is 16 × 32 px.
    assert heat[0, 14, 12] == 1
    assert heat[1:].max() == 0
    # Deviations: .18 × 16 / 4 = .72 cells across, .18 × 32 / 4 = 1.44 down.
    assert heat[0, 14, 13] == pytest.approx(np.exp(-0.5 / 0.72**2))
    assert heat[0, 15, 12] == pytest.approx(np.exp(-0.5 / 1.44**2))
    assert where[:, 14, 12] == pytest.approx([0.5, 0.0, np.log(16), np.log(32)])
    assert where[:2, 15, 12] == pytest.approx([0.5, -1.0])  # one cell below: above .6, it answers
    assert weight[1, 15, 12] == pytest.approx(weight[1, 14, 12] * heat[0, 15, 12])
    assert weight[1].sum() == pytest.approx(1)
    assert weight[1, 14, 13] == 0  # .38 is too far off
    assert weight[0, 26, 26] == 0  # an ignored area is not judged
    assert weight[0].sum() == CELLS**2 - 16


def test_of_two_people_on_one_cell_the_smaller_has_it() -> None:
    _, where, _ = maps(tile((46, 50, 54, 62), (10, 16, 90, 96)))
    assert where[2:, 14, 12] == pytest.approx([np.log(8), np.log(12)])


def test_loss_is_nothing_for_what_is_right_and_grows_with_every_error() -> None:
    heat, where, weight = (torch.from_numpy(each)[None] for each in maps(tile((42, 40, 58, 72))))
    right = (heat.eq(1).float() * 40 - 20, where[:, :2].clone(), where[:, 2:].clone())
    assert loss(right, heat, where, weight)[0] < 1e-4
    for part in range(3):
        wrong = [each.clone() for each in right]
        wrong[part] = -wrong[part]
        assert loss(tuple(wrong), heat, where, weight)[0] > 0.05


def test_boxes_apart_by_hand() -> None:
    """A box of 16 × 32 px that is named 8 px too far right: 8 × 32 px of 24 × 32 in common."""
    heat, where, weight = (torch.from_numpy(each)[None] for each in maps(tile((42, 40, 58, 72))))
    offset = where[:, :2].clone()
    offset[:, 0] += 2
    named = (heat.eq(1).float() * 40 - 20, offset, where[:, 2:].clone())
    assert loss(named, heat, where, weight)[1]["apart"] == pytest.approx(1 - 1 / 3)
    offset[:, 0] += 6  # 32 px: nothing in common, and a third of their hull is neither's
    assert loss(named, heat, where, weight)[1]["apart"] == pytest.approx(1 + 1 / 3)


def test_the_stem_sees_what_differs_first() -> None:
    weight = Network(len(CLASSES)).stem[0].weight
    what = weight[:, :3] + weight[:, 3:]  # what the two have in common stays
    assert weight[:, 3:].std() > 2 * what.std()


def test_the_network_takes_any_multiple_of_32_and_is_small() -> None:
    network = Network(len(CLASSES)).eval()
    heat, offset, size = network(torch.zeros(1, 6, 64, 96))
    assert heat.shape == (1, len(CLASSES), 16, 24)
    assert offset.shape == size.shape == (1, 2, 16, 24)
    assert 200_000 < sum(each.numel() for each in network.parameters()) < 1_000_000


def test_a_training_runs_is_gone_on_with_and_ends_in_a_file_that_the_engine_runs(
    tmp_path: Path,
) -> None:
    short = {"batch": 2, "figures": 6, "views": 2, "workers": 0, "checkpoint_every": 1}
    path = train(Config(steps=2, **short), tmp_path)  # type: ignore[arg-type]
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 2
    assert train(Config(steps=20, **short), tmp_path) == path  # type: ignore[arg-type]
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert log[-1]["step"] == 20
    assert set(log[-1]) == {"step", "seconds", "heat", "offset", "size", "apart"}
    description = describe(path)
    assert description.metadata["steps"] == "20"
    assert json.loads(description.metadata["names"]) == list(CLASSES)
    engine = load_engine(path, DetectorSettings(long_side=160, min_score=0.0))
    assert engine.layout.family == "centres"
    assert engine.layout.input.background
    assert engine.layout.names == CLASSES
    picture = np.random.default_rng(1).integers(0, 255, (90, 160, 3), np.uint8)
    assert len(engine.detect(picture)) > 0


def test_the_exported_file_gives_what_the_network_gives(tmp_path: Path) -> None:
    from detection.training.export import write

    torch.manual_seed(1)
    network = Network(len(CLASSES)).eval()
    write(network, tmp_path / "own.onnx", {})
    pair = np.random.default_rng(1).random((1, 6, 128, 160), np.float32)
    outputs = Session(tmp_path / "own.onnx").run(pair)
    with torch.no_grad():
        heat, offset, size = network(torch.from_numpy(pair))
    for mine, theirs in zip(outputs, (heat.sigmoid(), offset, size), strict=True):
        assert np.abs(mine - theirs.numpy()).max() < 1e-4


SHIPPED = settings.SHIPPED_DETECTOR


def test_a_file_is_read_back_to_the_last_bit_that_counts(tmp_path: Path) -> None:
    from detection.training.export import write
    from detection.training.tuning import OtherNetwork, Tuning, read

    network = read(SHIPPED, Tuning())
    pair = np.random.default_rng(1).random((1, 6, 128, 160), np.float32)
    with torch.no_grad():
        heat, offset, size = network(torch.from_numpy(pair))
    for mine, theirs in zip(
        Session(SHIPPED).run(pair), (heat.sigmoid(), offset, size), strict=True
    ):
        assert np.abs(mine - theirs.numpy()).max() < 1e-5
    other = Network(len(CLASSES), (16, 32, 48, 64)).eval()
    write(other, tmp_path / "other.onnx", {})
    with pytest.raises(OtherNetwork, match=r"is \[8, 6, 3, 3\]"):
        read(tmp_path / "other.onnx", Tuning())


def rows(file: IO[bytes], red: tuple[int, int, int]) -> list[dict[str, Any]]:
    """Six frames of 192 × 192 px with one patch each, and their bare backgrounds."""
    told = []
    for number in range(6):
        behind = np.full((192, 192, 3), 110 + 5 * number, np.uint8)
        frame = behind.copy()
        frame[80:112, 20 + 20 * number : 32 + 20 * number] = red
        coded = [cv2.imencode(".jpg", each)[1].tobytes() for each in (frame, behind)]
        at = file.tell()
        file.write(b"".join(coded))
        box = [(20 + 20 * number) / 192, 80 / 192, 12 / 192, 32 / 192]
        told.append({"at": [at, *map(len, coded)], "labels": ["person"], "boxes": [box],
                     "ignored": [], "lures": []})  # fmt: skip
    file.flush()
    return told


def test_a_park_s_training_is_killed_and_gone_on_with(tmp_path: Path) -> None:
    """As `manage.py train_detector` starts it; what it reads from has no name on the disk."""
    command = [sys.executable, "-m", "detection.training.tuning", str(tmp_path / "out")]
    config = {"steps": 100_000, "minutes": 60, "batch": 2, "figures": 4, "views": 2, "workers": 1,
              "checkpoint_every": 1}  # fmt: skip
    with tempfile.TemporaryFile() as file:
        task = {"from": str(SHIPPED), "config": config, "rows": rows(file, (30, 30, 200)),
                "facts": {"taught": "a b"}}  # fmt: skip

        def started() -> subprocess.Popen[str]:
            child = subprocess.Popen(
                [*command, "--pictures", str(file.fileno())], stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL, text=True, pass_fds=[file.fileno()],
            )  # fmt: skip
            assert child.stdin is not None
            child.stdin.write(json.dumps(task) + "\n")
            child.stdin.flush()
            return child

        checkpoint = tmp_path / "out" / "checkpoint.pt"
        child = started()
        while not checkpoint.is_file():
            assert child.poll() is None
            time.sleep(0.05)
        child.kill()
        child.wait()
        done = torch.load(checkpoint, weights_only=True)["step"]
        child = started()
        assert child.stdin is not None
        while torch.load(checkpoint, weights_only=True)["step"] <= done:
            assert child.poll() is None
            time.sleep(0.05)
        child.stdin.close()  # whoever started it is gone
        assert child.wait() == 1
        done = torch.load(checkpoint, weights_only=True)["step"]
        config |= {"steps": done + 2}
        child = started()
        assert child.wait() == 0
    assert torch.load(checkpoint, weights_only=True)["step"] == done + 2
    said = describe(tmp_path / "out" / "detector.onnx").metadata
    assert (said["steps"], said["taught"]) == (str(done + 2), "a b")


def test_what_it_learns_it_knows_and_the_rest_it_has_not_forgotten(tmp_path: Path) -> None:
    from detection.training.tuning import tune

    with tempfile.TemporaryFile() as file:
        config = {"steps": 40, "batch": 4, "figures": 8, "views": 4, "workers": 0, "rate": 2e-3}
        told = rows(file, (30, 30, 200))
        task = {"from": str(SHIPPED), "config": config, "rows": told, "facts": {}}
        made = tune(task, file.fileno(), tmp_path)
        file.seek(0)
        frame, behind = (
            np.asarray(cv2.imdecode(np.frombuffer(file.read(size), np.uint8), cv2.IMREAD_COLOR))[
                ..., ::-1
            ]
            for size in told[0]["at"][1:]
        )
    pair = np.concatenate([frame, behind], axis=2).transpose(2, 0, 1)[None] / np.float32(255)
    before, after = (
        Session(path).run(np.ascontiguousarray(pair, np.float32))[0][0, 0, 20:28, 4:10].max()
        for path in (SHIPPED, made)
    )
    assert after > before
    assert after > 0.3
