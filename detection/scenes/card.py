"""Write scenes as a trail camera's SD card, with the truth beside it. Knows no database."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
from PIL import Image, ImageDraw, ImageFont

from detection.labels import Activity, Label
from detection.scenes.light import sun
from detection.scenes.model import CLOCK_OFFSET_MINUTES, Moment, Pose, Thing, View
from detection.scenes.plan import Frame, plan
from detection.scenes.render import render

MAKE, MODEL = "LACS", "LACS demo camera"
STAMP_SHARE = 1 / 24  # of the height, the black bar at the bottom
_DCF_LIMIT = 9999  # pictures a DCIM folder can number


class FolderNotEmptyError(Exception):
    """A card is written into a new or empty folder only, so that nothing of anyone is lost."""


def write_card(
    folder: Path, *, days: int = 4, interval_minutes: int = 15, view: View | None = None,
    start: date = date(2025, 7, 25), workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Write FOLDER/DCIM/100LACS1/IMG_0001.JPG… and FOLDER/truth.json; give back the truth.

    Equal arguments write equal bytes, whatever the number of `workers`. `progress(done, all)` is
    called after each picture. Raises FolderNotEmptyError, and ValueError for arguments out of
    range.
    """
    view = view or View()
    frames = plan(start, days, interval_minutes, view.seed)
    return _write(folder, view, frames, interval_minutes * 60, workers, progress)


def tiny_card(
    folder: Path, n: int, size: tuple[int, int] = (320, 240), seed: int = 1
) -> dict[str, Any]:
    """Write a card of `n` small pictures ten minutes apart, one person by the tent in each."""
    start = datetime(2025, 7, 25, 11)  # noqa: DTZ001 - the camera's clock carries no zone
    frames = [
        Frame(
            Moment(start + timedelta(minutes=10 * i)),
            (Thing(Label.TENT, 0.2, 0.8), Thing(Label.PERSON, 0.4 + 0.04 * (i % 10), 0.9,
                                                Activity.WALKING, Pose.WALK, 1)),
        )
        for i in range(n)
    ]  # fmt: skip
    return _write(folder, View(*size, seed), frames, 600, 1, None)


def _write(
    folder: Path, view: View, frames: Sequence[Frame], interval_seconds: int, workers: int,
    progress: Callable[[int, int], None] | None,
) -> dict[str, Any]:  # fmt: skip
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderNotEmptyError(folder)
    if len(frames) > _DCF_LIMIT:
        raise ValueError(f"{len(frames)} pictures do not fit on a card of {_DCF_LIMIT}")
    serial = f"DEMO{view.seed:06d}"
    pictures = folder / "DCIM" / "100LACS1"
    pictures.mkdir(parents=True)
    jobs = [
        (pictures / f"IMG_{number:04d}.JPG", view, frame, serial)
        for number, frame in enumerate(frames, 1)
    ]
    stated: list[dict[str, Any]] = []
    if workers <= 1:
        for job in jobs:
            stated.append(_picture(job))
            if progress:
                progress(len(stated), len(jobs))
    else:
        # Spawned, not forked: OpenCV's threads do not survive a fork.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, context, cv2.setNumThreads, (1,)) as pool:
            for entry in pool.map(_picture, jobs, chunksize=4):
                stated.append(entry)
                if progress:
                    progress(len(stated), len(jobs))
    truth = {
        "clock_offset_minutes": CLOCK_OFFSET_MINUTES,
        "interval_seconds": interval_seconds,
        "serial": serial,
        "frames": [{**entry, "path": f"DCIM/100LACS1/{entry['path']}"} for entry in stated],
    }
    (folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    return truth


def _picture(job: tuple[Path, View, Frame, str]) -> dict[str, Any]:
    path, view, frame, serial = job
    made = render(view, frame.moment, frame.things)
    picture = Image.fromarray(made.image)
    _stamp(picture, frame.moment, serial)
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = MAKE, MODEL, 1
    exif.get_ifd(0x8769).update({
        0x9003: frame.moment.at.strftime("%Y:%m:%d %H:%M:%S"),
        0x9291: f"{frame.moment.at.microsecond // 1000:03d}",
        0xA431: serial,
    })  # fmt: skip
    picture.save(path, "JPEG", quality=88, exif=exif)
    bar = 1 - STAMP_SHARE
    boxes = [
        {"label": str(b.label), "activity": str(b.activity) if b.activity else None,
         "x": round(b.x, 6), "y": round(b.y, 6), "w": round(b.w, 6),
         "h": round(min(b.h, bar - b.y), 6)}
        for b in made.boxes if b.y < bar
    ]  # fmt: skip
    return {"path": path.name, "clock": frame.moment.at.isoformat(), "readable": made.readable,
            "boxes": boxes}  # fmt: skip


def _stamp(picture: Image.Image, moment: Moment, serial: str) -> None:
    """Burn in the bar of time, temperature and serial number, as trail cameras do."""
    width, height = picture.size
    top = height - int(height * STAMP_SHARE)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, top, width, height), fill=(0, 0, 0))
    font = ImageFont.load_default(max(height * STAMP_SHARE * 0.62, 6))
    celsius = 8 + round(13 * max(sun(moment.at).height_deg, 0) / 65 - 3 * moment.fog)
    text = f"{moment.at:%Y-%m-%d %H:%M:%S}    {celsius}°C    {serial}"
    pen.text((width * 0.015, (top + height) / 2), text, (255, 255, 255), font, anchor="lm")
