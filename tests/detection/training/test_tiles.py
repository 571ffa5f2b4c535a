"""Tiles that the detector learns from: repeatable, true to their boxes, pairs of one place."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from detection.onnx.boxes import iou
from detection.training.figures import FIGURES, POSES, person, scaled
from detection.training.material import CLASSES, LABELS, Material, gather
from detection.training.parties import EITHER, GROUND, WATER, party
from detection.training.shapes import Camera
from detection.training.tiles import SIDE, changed, countable, make


@pytest.fixture(scope="module")
def material() -> Material:
    return gather(seed=3, figures=12, views=3, folders=[])


@pytest.mark.parametrize("name", FIGURES)
def test_every_class_has_figures_and_their_box_holds_them(name: str) -> None:
    drawn = [FIGURES[name](np.random.default_rng([5, number])) for number in range(12)]
    assert sum(sprite is not None for sprite in drawn) >= 10
    for sprite in filter(None, drawn):
        x0, y0, x1, y1 = sprite.box
        high, wide = sprite.rgba.shape[:2]
        assert 0 <= x0 < x1 <= wide
        assert 0 <= y0 < y1 <= high
        assert sprite.rgba[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1, 3].max() > 200


@pytest.mark.parametrize("pose", POSES)
def test_people_are_as_tall_as_their_pose_makes_them(pose: str) -> None:
    most = 0.9 if pose in ("swim", "lie") else 2.7  # an arm may be raised
    for number in range(10):
        sprite = person(np.random.default_rng([7, number]), pose)
        if sprite is not None:
            assert (
                0.05 < sprite.height / sprite.px_per_metre < most + 0.9 * (pose in ("swim", "lie"))
            )


@pytest.mark.parametrize("pose", sorted(set(POSES) - {"swim", "wade"}))
def test_nobody_reaches_into_the_ground(pose: str) -> None:
    for number in range(20):
        level = Camera(0.4 * number, 0.0, (0.0, 0.6, 0.8))
        sprite = person(np.random.default_rng([8, number]), pose, level)
        assert sprite is not None
        below = (sprite.box[3] - sprite.foot) / sprite.px_per_metre
        assert below < 0.06  # as thick as half a limb


def test_a_figure_keeps_its_size_in_metres_when_scaled() -> None:
    sprite = person(np.random.default_rng(1), "stand")
    assert sprite is not None
    small = scaled(sprite, 8, mirrored=True)
    assert small.height / 8 == pytest.approx(sprite.height / sprite.px_per_metre, rel=0.1)
    far = scaled(sprite, 8)
    assert np.array_equal(small.rgba, far.rgba[:, ::-1])
    assert small.box[0] == pytest.approx(far.rgba.shape[1] - far.box[2])


def test_equal_numbers_make_equal_tiles(material: Material) -> None:
    first, second = make(material, 1, 8, 0.1), make(material, 1, 8, 0.1)
    assert np.array_equal(first.pair, second.pair)
    assert np.array_equal(first.xyxy, second.xyxy)
    assert not np.array_equal(first.pair, make(material, 1, 9, 0.1).pair)
    assert not np.array_equal(first.pair, make(material, 2, 8, 0.1).pair)


def test_boxes_lie_in_their_tile_and_differ_from_the_background(material: Material) -> None:
    tiles = [make(material, 1, number, 0.0) for number in range(60)]
    assert {"person", "tent"} <= {CLASSES[index] for tile in tiles for index in tile.classes}
    apart = []
    for tile in tiles:
        assert tile.pair.shape == (SIDE, SIDE, 6)
        assert (tile.xyxy >= 0).all()
        assert (tile.xyxy <= SIDE).all()
        assert countable(tile.xyxy).all()
        gap = np.abs(tile.pair[..., :3].astype(int) - tile.pair[..., 3:]).mean(axis=2)
        for x0, y0, x1, y1 in tile.xyxy.astype(int) if gap.any() else ():
            apart.append(gap[y0 : y1 + 1, x0 : x1 + 1].mean() / max(float(np.median(gap)), 1))
    # Whom the background does not show stands out from their tile's; most are such.
    assert np.median(apart) > 1.5
    assert any(np.array_equal(t.pair[..., :3], t.pair[..., 3:]) for t in tiles)  # none at hand
    assert any(not len(t.classes) for t in tiles)  # nobody there


def test_a_flat_boat_is_countable_and_a_speck_is_not() -> None:
    boxes = np.array([[0, 0, 30, 3], [0, 0, 5, 5], [0, 0, 9, 2], [0, 0, 4, 8]], np.float32)
    assert countable(boxes).tolist() == [True, False, False, True]


@pytest.mark.parametrize("place", [GROUND, WATER, EITHER])
def test_parties_are_of_the_classes_and_where_they_may_be(place: str) -> None:
    rng = np.random.default_rng(5)
    parties = [party(rng, place) for _ in range(400)]
    kinds = {member.kind for each in parties for member in each}
    assert {LABELS.get(kind, kind) for kind in kinds} <= set(CLASSES)
    assert ("tent" in kinds) == (place != WATER)
    assert ("bather" in kinds) == (place != GROUND)
    assert all(max(abs(each[0].right), abs(each[0].away)) < 1 for each in parties)
    assert max(map(len, parties)) >= 3
    for each in parties:  # who rides sits in something
        assert {"rider"}.isdisjoint(m.kind for m in each) or each[0].kind == "boat"


def test_walkers_in_file_hide_one_another(material: Material) -> None:
    """As people do: a detector that never saw it takes two for one."""
    hidden = 0
    for number in range(80):
        boxes = make(material, 1, number, 0.0).xyxy
        overlap = iou(boxes, boxes)
        hidden += int(((overlap > 0.1) & (overlap < 1)).sum()) // 2
    assert hidden > 10


def test_a_changed_tile_keeps_its_boxes_mirrored_or_not(material: Material) -> None:
    tile = next(t for n in range(40) if len((t := make(material, 1, n, 0.0)).classes))
    for number in range(8):
        other = changed(np.random.default_rng(number), tile)
        same = np.array_equal(other.xyxy, tile.xyxy)
        flipped = np.allclose(other.xyxy[:, [0, 2]], SIDE - tile.xyxy[:, [2, 0]])
        assert same or flipped
        assert not np.array_equal(other.pair, tile.pair)


def test_outlined_people_are_cut_out_and_photographs_without_any_are_views(tmp_path: Path) -> None:
    for name, tint in (("with", 60), ("without", 90)):
        Image.new("RGB", (200, 160), (tint, tint, tint)).save(tmp_path / f"{name}.png")
    body = [80, 20, 120, 20, 120, 140, 80, 140]
    table = {
        "images": [{"id": 1, "file_name": "with.png"}, {"id": 2, "file_name": "without.png"}],
        "categories": [{"id": 4, "name": "person"}],
        "annotations": [{"image_id": 1, "category_id": 4, "bbox": [80, 20, 40, 120],
                         "segmentation": [body], "iscrowd": 0}],
    }  # fmt: skip
    (tmp_path / "annotations.json").write_text(json.dumps(table))
    held = gather(seed=1, figures=1, views=1, folders=[tmp_path])
    (sprite,) = held.cutouts["person"]
    assert sprite.height == pytest.approx(120)
    assert sprite.rgba[60, 20].tolist() == [60, 60, 60, 255]
    assert [picture.max() for picture in held.photographs] == [90]
    tile = make(held, 1, 0, 1.0)  # only labelled photographs: single pictures
    assert np.array_equal(tile.pair[..., :3], tile.pair[..., 3:])
