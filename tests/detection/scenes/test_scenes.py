from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from detection.cards import exif
from detection.labels import Activity, Label
from detection.scenes.card import MAKE, MODEL, tiny_card, write_card
from detection.scenes.figures import draw
from detection.scenes.model import Moment, Pose, Thing, View
from detection.scenes.plan import plan
from detection.scenes.render import DRAWABLE, render

SMALL = View(480, 360)
NOON = Moment(datetime(2025, 7, 25, 12))  # noqa: DTZ001 - camera clock
WALKER = Thing(Label.PERSON, 0.6, 0.92, Activity.WALKING, Pose.WALK, 1)


def test_equal_arguments_give_equal_pixels() -> None:
    one, two = (render(SMALL, NOON, [WALKER]) for _ in range(2))
    assert np.array_equal(one.image, two.image)
    assert one.boxes == two.boxes
    assert one.image.shape == (360, 480, 3)
    assert one.image.dtype == np.uint8


@pytest.mark.parametrize("pose", [Pose.SIT, Pose.STAND, Pose.WALK])
def test_a_box_is_tight_around_what_is_drawn(pose: Pose) -> None:
    view = View(1280, 960)
    thing = Thing(Label.PERSON, 0.5, 0.92, Activity.RESTING, pose, 1)
    with_it, without = render(view, NOON, [thing]), render(view, NOON)
    (box,) = with_it.boxes
    # Albedo of clothes differs from the ground by far more than the soft shadow and the ripples.
    drawn = np.abs(with_it.image.astype(int) - without.image).max(axis=2) > 55
    ys, xs = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    left, top, right, bottom = (
        box.x * 1280,
        box.y * 960,
        (box.x + box.w) * 1280,
        (box.y + box.h) * 960,
    )
    assert left - 1 <= xs[0] <= left + 6
    assert right - 7 <= xs[-1] <= right + 1
    assert top - 1 <= ys[0] <= top + 6
    assert bottom - 12 <= ys[-1] <= bottom + 1


@pytest.mark.parametrize("label", sorted(DRAWABLE))
@pytest.mark.parametrize("metre", [4.2, 31.0])
def test_a_figure_fills_its_box(label: Label, metre: float) -> None:
    swims = label is Label.PERSON
    activity, pose = (Activity.BATHING, Pose.SWIM) if swims else (None, Pose.STAND)
    sprite = draw(Thing(label, 0.5, 0.5, activity, pose, left=True), metre, 50.3, 60.8)
    assert sprite is not None
    ys, xs = (np.flatnonzero((sprite.alpha > 0).any(axis=axis)) for axis in (1, 0))
    drawn = (sprite.left + xs[0], sprite.top + ys[0], sprite.left + xs[-1], sprite.top + ys[-1])
    assert drawn == tuple(np.floor(np.array(sprite.box) - (0, 0, 1e-6, 1e-6)))


@pytest.mark.parametrize(
    ("activity", "pose", "share"),
    [
        (Activity.RESTING, Pose.LIE, 0.7),  # on a towel, which is longer and reaches below
        (Activity.ON_WATER, Pose.PADDLE, 0.34),
        (Activity.FISHING, Pose.STAND, 0.4),
        (Activity.WALKING, Pose.STAND, 1.0),
    ],
)
def test_what_somebody_holds_or_lies_on_is_no_part_of_them(
    activity: Activity, pose: Pose, share: float
) -> None:
    sprite = draw(Thing(Label.PERSON, 0.5, 0.5, activity, pose), 31.0, 50.0, 60.0)
    assert sprite is not None
    rows, columns = np.nonzero(sprite.alpha > 0)
    drawn = float(np.ptp(rows) + 1) * float(np.ptp(columns) + 1)
    left, top, right, bottom = sprite.box
    assert (right - left) * (bottom - top) == pytest.approx(share * drawn, rel=0.15)


@pytest.mark.parametrize("pose", [Pose.LIE, Pose.SIT, Pose.STAND])
def test_whoever_rests_may_have_any_hair(pose: Pose) -> None:
    frames = plan(date(2025, 7, 25), 4, 60, seed=1, visitors=3)
    every = [thing for frame in frames for thing in frame.things]
    resting = {t.look for t in every if t.activity is Activity.RESTING and t.pose is pose}
    heads = set()
    for look in resting:
        lying = Thing(Label.PERSON, 0.5, 0.5, Activity.RESTING, Pose.LIE, look)
        sprite = draw(lying, 60.0, 100.0, 100.0)
        assert sprite is not None
        crown = (100 - 17 - sprite.top, 100 + 49 - sprite.left)  # 0.28 m above, 0.82 m ahead
        heads.add(tuple(np.round(sprite.colour[crown], 2)))
    assert len(heads) == 4


@pytest.mark.parametrize(("y", "low", "high"), [(0.95, 76, 84), (0.47, 5, 9)])
def test_people_are_six_to_eighty_pixels_high(y: float, low: float, high: float) -> None:
    thing = Thing(Label.PERSON, 0.09, y, Activity.WALKING, Pose.STAND, 1)
    (box,) = render(View(1280, 960), NOON, [thing]).boxes
    assert low <= box.h * 960 <= high


def test_a_knocked_camera_moves_picture_and_boxes_alike() -> None:
    still = render(SMALL, NOON, [WALKER])
    knocked = render(SMALL, Moment(NOON.at, shift_px=(12, -7)), [WALKER])
    # The grain is the sensor's and stays; a pixel more or less would make it 9.
    seen, expected = knocked.image[50:300, 100:400].astype(int), still.image[57:307, 88:388]
    assert np.abs(seen - expected).mean() < 2.6
    assert knocked.boxes[0].x * 480 == pytest.approx(still.boxes[0].x * 480 + 12)
    assert knocked.boxes[0].y * 360 == pytest.approx(still.boxes[0].y * 360 - 7)


def test_a_camera_knocked_askew_turns_picture_and_boxes_alike() -> None:
    askew = Moment(NOON.at, turn_deg=-4.0)  # clockwise: what is right of the middle sinks
    (box,) = render(SMALL, askew, [WALKER]).boxes
    (still,) = render(SMALL, NOON, [WALKER]).boxes
    assert box.y * 360 == pytest.approx(still.y * 360 + 480 * 0.1 * 0.07, abs=2.5)
    drawn = np.abs(
        render(SMALL, askew, [WALKER]).image.astype(int) - render(SMALL, askew).image
    ).max(axis=2)
    ys, xs = np.nonzero(drawn > 55)
    assert np.all(xs >= box.x * 480 - 1)
    assert np.all(xs <= (box.x + box.w) * 480 + 1)
    assert np.all(ys >= box.y * 360 - 1)


def test_a_half_hidden_person_has_half_a_box() -> None:
    (whole,) = render(SMALL, NOON, [WALKER]).boxes
    (half,) = render(SMALL, NOON, [replace(WALKER, hidden=0.5)]).boxes
    assert half.h == pytest.approx(whole.h / 2, abs=1.5 / 360)
    assert half.y == pytest.approx(whole.y, abs=1e-6)


@pytest.mark.parametrize(
    ("weather", "lost"),
    [
        ({"bank": 0.95, "bank_x": 0.2}, [True, False]),
        ({"bank": 0.95, "bank_x": 0.8}, [False, True]),
        ({"snow": 0.45}, [True, True]),
        ({"rain": 1.0}, [False, False]),
    ],
)
def test_weather_hides_whom_it_covers(weather: dict[str, Any], lost: list[bool]) -> None:
    people = [replace(WALKER, x=0.2, y=0.70, look=1), replace(WALKER, x=0.8, y=0.75, look=2)]
    seen = [round(box.x, 1) for box in render(SMALL, Moment(NOON.at, **weather), people).boxes]
    assert [place not in seen for place in (0.2, 0.8)] == lost


def test_drops_blur_where_they_lie_and_stay_there() -> None:
    one, two = (
        np.abs(
            render(SMALL, Moment(at, drops=9)).image - render(SMALL, Moment(at)).image.astype(int)
        )
        for at in (NOON.at, NOON.at + timedelta(minutes=10))
    )
    wet = one.max(axis=2) > 12
    assert 0.03 < wet.mean() < 0.5
    assert (wet & (two.max(axis=2) > 12)).sum() > 0.5 * wet.sum()


def test_nothing_can_be_read_through_snow() -> None:
    assert not render(SMALL, Moment(NOON.at, snow=1.0), [WALKER]).readable


def test_nothing_can_be_read_in_fog() -> None:
    fogged = render(SMALL, Moment(NOON.at, fog=1.0), [WALKER])
    assert not fogged.readable
    assert fogged.boxes == []
    # By channel: the fog's own blue is no detail.
    clear = render(SMALL, NOON, [WALKER]).image
    assert fogged.image[:330].std(axis=(0, 1)).max() < 8 < clear[:330].std(axis=(0, 1)).min()


def test_noon_is_brighter_than_dusk_and_dusk_than_night() -> None:
    noon, dusk, night = (
        render(SMALL, Moment(datetime(2025, 7, 25, h, m))).image.mean()  # noqa: DTZ001
        for h, m in ((12, 0), (20, 15), (21, 30))
    )
    assert noon > dusk + 10 > night + 20


def test_a_plan_has_the_rhythm_of_a_summer() -> None:
    frames = plan(date(2025, 7, 25), 4, 15, seed=1)
    assert len(frames) == 4 * 69
    assert frames[0].moment.at == datetime(2025, 7, 25, 4, 30)  # noqa: DTZ001 - 5:30 in summer
    assert frames == plan(date(2025, 7, 25), 4, 15, seed=1)
    assert frames != plan(date(2025, 7, 25), 4, 15, seed=2)
    tent_hours = {f.moment.at.hour for f in frames for t in f.things if t.label is Label.TENT}
    assert tent_hours
    assert not tent_hours & set(range(8, 18))  # camera clock: 9:00 to 19:00 local
    assert {f.moment.at.day for f in frames for t in f.things if t.label is Label.SHEEP} == {26}
    assert {f.moment.at.day for f in frames if f.moment.fog > 0.9} == {27}
    bathers = [f.moment.at.hour for f in frames for t in f.things if t.pose is Pose.SWIM]
    assert bathers
    assert min(bathers) >= 10


def test_neighbouring_frames_agree() -> None:
    frames = plan(date(2025, 7, 26), 1, 15, seed=1)
    people = [{t.look for t in f.things if t.activity is Activity.RESTING} for f in frames]
    both = [len(a & b) / len(a) for a, b in pairwise(people) if a]
    assert np.mean(both) > 0.5


def test_a_card_says_of_itself_what_a_camera_would(tmp_path: Path) -> None:
    truth = tiny_card(tmp_path / "card", 3)
    assert (truth["clock_offset_minutes"], truth["interval_seconds"]) == (60, 600)
    for entry in truth["frames"]:
        found = exif.read((tmp_path / "card" / entry["path"]).read_bytes())
        assert found.clock_at is not None
        assert found.clock_at.replace(tzinfo=None).isoformat() == entry["clock"]
        assert (found.make, found.model, found.serial) == (MAKE, MODEL, truth["serial"])
        assert {box["label"] for box in entry["boxes"]} == {"tent", "person"}


def test_a_card_has_equal_bytes_whatever_the_number_of_workers(tmp_path: Path) -> None:
    for name, workers in (("one", 1), ("two", 2)):
        write_card(
            tmp_path / name, days=1, interval_minutes=240, view=View(160, 120), workers=workers
        )
    one, two = (
        {p.name: p.read_bytes() for p in (tmp_path / n).rglob("*.*")} for n in ("one", "two")
    )
    assert len(one) == 6
    assert one == two


def test_render_demo_refuses_a_folder_with_something_in_it(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(CommandError, match=tmp_path.name):
        call_command("render_demo", tmp_path, stdout=StringIO())
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
