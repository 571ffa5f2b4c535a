"""Frames in the order of time: each with its neighbours, in bounded memory, none lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from detection.onnx.background import SIDE
from detection.onnx.boxes import Boxes
from detection.onnx.engine import Around, DetectorSettings, load_engine
from detection.onnx.sequence import Seen, Trail, detect_in_order
from tests.onnx_models import tiny_yolox

TEN_MINUTES = 600.0
Load = Callable[[int], NDArray[np.uint8]]


class Recorder:
    """Detects nothing but the number that a frame carries in its corner; keeps what it was told."""

    def __init__(self, side: int | None = SIDE) -> None:
        self.still_side = side
        self.names = ("person",)
        self.told: dict[int, Around] = {}
        self._lock = threading.Lock()

    def detect(self, rgb: NDArray[np.uint8], around: Around = Around()) -> Boxes:  # noqa: B008
        number = int(rgb[0, 0, 0])
        with self._lock:
            self.told[number] = around
        place = np.array([[number, 0, number + 10, 20]], np.float32)
        return Boxes(place, np.array([0.5], np.float32), np.zeros(1, np.int64))


def frame(number: int) -> Load:
    def load(long_side: int) -> NDArray[np.uint8]:
        slope = np.tile(np.linspace(60, 190, 160).astype(np.uint8)[None, :, None], (120, 1, 3))
        slope[0, 0] = number
        return slope

    return load


def unreadable(long_side: int) -> NDArray[np.uint8]:
    raise OSError("cut short")


def run(
    recorder: Recorder, loaders: list[Load], instants: list[float], threads: int
) -> dict[int, Seen | Exception]:
    return dict(detect_in_order(recorder, loaders, instants, threads))


def numbers(recorder: Recorder) -> dict[int, int | None]:
    """Of each frame: which one it was told of as the one before."""
    told = {number: around.before for number, around in recorder.told.items()}
    return {
        number: None if before is None else int(before.xyxy[0, 0])
        for number, before in told.items()
    }


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_each_frame_knows_the_one_before_it_in_time(threads: int) -> None:
    """Two threads have five frames in turn of 20, twice; three have seven, seven and six."""
    recorder = Recorder()
    instants = [float(TEN_MINUTES * ((7 * number) % 20)) for number in range(20)]  # shuffled
    seen = run(recorder, [frame(number) for number in range(20)], instants, threads)
    assert sorted(seen) == list(range(20))
    order = np.argsort(instants).tolist()
    expected = dict(zip(order, [None, *order[:-1]], strict=True))
    if threads == 2:
        expected |= {order[5]: None, order[10]: order[4], order[15]: order[9]}
    if threads == 3:
        expected |= {order[7]: None, order[14]: None}
    assert numbers(recorder) == expected


def test_a_week_begins_with_a_look_everywhere() -> None:
    """On Thursday at noon: else what stands still, and was missed once, would be so for good."""
    recorder = Recorder()
    instants = [43200.0 - 1200 + TEN_MINUTES * number for number in range(5)]
    run(recorder, [frame(number) for number in range(5)], instants, 1)
    assert numbers(recorder) == {0: None, 1: 0, 2: None, 3: 2, 4: 3}


def test_a_walk_goes_on_from_the_trail_of_the_one_before() -> None:
    recorder, trail, loads = Recorder(), Trail(), list[tuple[int, int]]()

    def counted(number: int) -> Load:
        def load(long_side: int) -> NDArray[np.uint8]:
            loads.append((number, long_side))
            return frame(number)(long_side)

        return load

    loaders = [counted(number) for number in range(30)]
    instants = [TEN_MINUTES * 2 * number for number in range(30)]
    for wanted in (range(10), range(10, 20), range(25, 30), range(3, 6)):
        walked = detect_in_order(
            recorder, loaders, instants, 2, wanted=wanted, keys=range(100, 130), trail=trail
        )
        assert len(dict(walked)) == len(wanted)
    small = [number for number, long_side in loads if long_side == SIDE]
    assert len(small) < 60  # two threads may be at the same neighbour; it would be over 100
    told = numbers(recorder)
    assert (told[0], told[1], told[7]) == (None, 0, 6)  # the first walk
    assert (told[10], told[11], told[15], told[16]) == (9, 10, 9, 15)
    assert (told[25], told[26], told[28]) == (19, 25, 19)
    assert (told[3], told[4], told[5]) == (None, 3, None)  # from what is to come one goes not on


def test_what_could_not_be_read_is_tried_again_by_the_next_walk() -> None:
    trail, there = Trail(), list[bool]()

    def late(long_side: int) -> NDArray[np.uint8]:
        if not there:
            raise OSError("not yet")
        return frame(3)(long_side)

    loaders = [late if number == 3 else frame(number) for number in range(12)]
    instants = [TEN_MINUTES * 3 * number for number in range(12)]
    first = dict(detect_in_order(Recorder(), loaders, instants, 1, wanted=[5], trail=trail))
    there.append(True)
    second = dict(detect_in_order(Recorder(), loaders, instants, 1, wanted=[6], trail=trail))
    assert all(isinstance(seen, Seen) for seen in (*first.values(), *second.values()))
    assert set(trail.stills) == set(range(12))


def test_frames_get_backgrounds_and_boxes_get_evidence() -> None:
    recorder = Recorder()
    seen = run(recorder, [frame(n) for n in range(30)], [TEN_MINUTES * n for n in range(30)], 1)
    for number in range(30):
        outcome = seen[number]
        assert isinstance(outcome, Seen)
        assert recorder.told[number].background is not None
        assert outcome.evidence == pytest.approx([0.0])
        assert outcome.quality is not None
        assert outcome.light.shape == (12, 16)


def test_too_few_frames_are_no_background_and_evidence_is_unknown() -> None:
    recorder = Recorder()
    seen = run(recorder, [frame(n) for n in range(5)], [TEN_MINUTES * n for n in range(5)], 1)
    assert recorder.told[2].background is None
    assert recorder.told[2].change is None
    outcome = seen[2]
    assert isinstance(outcome, Seen)
    assert np.isnan(outcome.evidence).all()


def test_a_bad_frame_stops_no_other() -> None:
    loaders = [unreadable if number == 4 else frame(number) for number in range(12)]
    recorder = Recorder()
    seen = run(recorder, loaders, [TEN_MINUTES * number for number in range(12)], 2)
    assert isinstance(seen[4], OSError)
    assert sum(isinstance(each, Seen) for each in seen.values()) == 11
    assert numbers(recorder)[5] is None  # perhaps it was what came before that could not be borne


def test_no_stills_are_made_where_nobody_wants_them() -> None:
    sides: list[int] = []

    def load(long_side: int) -> NDArray[np.uint8]:
        sides.append(long_side)
        return np.zeros((90, 120, 3), np.uint8)

    seen = dict(detect_in_order(Recorder(None), [load] * 3, [0.0, 1.0, 2.0], 1, stills=False))
    assert sides == [1920] * 3
    assert all(isinstance(each, Seen) and each.quality is None for each in seen.values())


def test_few_stills_are_kept_however_many_frames_there_are() -> None:
    loaders = [frame(number % 200) for number in range(400)]
    trail = Trail()
    instants = [900.0 * number for number in range(400)]
    walked = detect_in_order(Recorder(), loaders, instants, 2, wanted=range(0, 400, 5), trail=trail)
    most = [len(trail.stills) for _ in walked]
    assert len(most) == 80
    assert 48 < max(most) <= 2 * 48 + 3 * 8
    assert len(trail.stills) <= 48


def test_a_reader_that_stops_early_waits_for_no_card() -> None:
    recorder = Recorder(None)
    outcomes = detect_in_order(recorder, [frame(n) for n in range(200)], list(range(200)), 2)
    next(outcomes)
    outcomes.close()  # type: ignore[attr-defined]
    assert len(recorder.told) < 200


def test_gated_looks_find_a_walker_all_along(tmp_path: Path) -> None:
    """A real engine over a real sequence: found in every frame, whatever the stretch."""
    settings = DetectorSettings(
        long_side=160, tile=320, overlap=0.25, gated=True, min_score=0.3, max_boxes=9
    )
    engine = load_engine(tiny_yolox(tmp_path / "tiny.onnx"), settings)

    rough = np.random.default_rng(1).integers(0, 60, (45, 60, 1), np.uint8)
    slope = cv2.resize(rough, (960, 720))[:, :, None] + np.array((90, 110, 80), np.uint8)

    def walker(number: int) -> Load:
        def load(long_side: int) -> NDArray[np.uint8]:
            picture = slope.copy()
            left = 40 + 25 * number
            picture[400:412, left : left + 8] = (255, 0, 0)
            high = 720 * long_side // 960 - (long_side < 960)  # a row less, as decoders round
            return np.asarray(cv2.resize(picture, (long_side, high)), np.uint8)

        return load

    loaders = [walker(number) for number in range(30)]
    instants = [TEN_MINUTES * 3 * number for number in range(30)]
    for number, seen in detect_in_order(engine, loaders, instants, 2, long_side=960):
        assert isinstance(seen, Seen)
        left = 40 + 25 * number
        assert seen.boxes.xyxy.tolist() == [pytest.approx([left, 400, left + 8, 412], abs=1)]
        assert seen.evidence[0] > 0.1
