"""A folder becomes frames, and its receipt adds up whatever the folder holds."""

from __future__ import annotations

import io
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from detection.cards import vault
from detection.cards.receive import announce, open_batch, store_from_disk
from detection.models import Batch, CardFile, Frame
from tests.factories import make_deployment, make_lake

pytestmark = pytest.mark.django_db


def write_jpeg(path: Path, *, taken: str = "2025:07:26 14:00:00", shade: int = 90) -> bytes:
    exif = Image.Exif()
    if taken:
        exif.get_ifd(0x8769)[0x9003] = taken
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 48), (shade, 120, 140)).save(path, exif=exif)
    return path.read_bytes()


def run_import(folder: Path, deployment: str = "shore") -> dict[str, Any]:
    out = io.StringIO()
    call_command("import_batch", str(folder), deployment=deployment, json=True, stdout=out)
    result: dict[str, Any] = json.loads(out.getvalue())
    parts = ("new", "duplicate", "unreadable", "quarantined", "set_aside")
    assert result["received"] == sum(result[part] for part in parts)
    return result


def test_each_kind_of_file_has_its_outcome(tmp_path: Path) -> None:
    make_deployment(clock_offset_minutes=60)
    card = tmp_path / "carte été"
    bytes_of_first = write_jpeg(card / "DCIM/été n° 1.JPG")
    write_jpeg(card / "again.JPG")  # the same bytes under a second name
    write_jpeg(card / "undated.JPG", taken="", shade=10)
    write_jpeg(card / "never_set.JPG", taken="2000:01:01 00:00:10", shade=11)
    write_jpeg(card / "future.JPG", taken="2199:01:01 00:00:00", shade=12)
    (card / "empty.JPG").write_bytes(b"")
    (card / "notes.txt").write_text("no picture")
    (card / "clip.AVI").write_bytes(b"RIFF" + b"0" * 40)
    (card / "cut.JPG").write_bytes(bytes_of_first[:200])

    result = run_import(card)

    assert (result["announced"], result["complete"]) == (9, True)
    states = {file["path"]: (file["state"], file["reason"]) for file in result["files"]}
    assert states["undated.JPG"][0] == "quarantined"
    assert {states[name][1] for name in ("never_set.JPG", "future.JPG")} != {""}
    assert states["empty.JPG"] == ("unreadable", "the file is empty")
    assert states["notes.txt"] == ("unreadable", "not a JPEG picture")
    assert states["clip.AVI"] == ("set_aside", "video")
    assert states["cut.JPG"][0] == "unreadable"
    assert (result["new"], result["duplicate"]) == (1, 1)
    frame = Frame.objects.get(quarantine="")
    assert frame.captured_at is not None
    assert frame.captured_at.isoformat() == "2025-07-26T13:00:00+00:00"
    assert vault.original(frame.sha256) == bytes_of_first
    # Nothing is lost: the bytes of what could not be read are kept too.
    for file in CardFile.objects.all():
        vault.original(file.sha256)


def test_the_same_card_twice_adds_nothing(tmp_path: Path) -> None:
    make_deployment()
    write_jpeg(tmp_path / "card/1.jpg")
    assert run_import(tmp_path / "card")["new"] == 1
    again = run_import(tmp_path / "card")
    assert (again["new"], again["duplicate"], again["complete"]) == (0, 1, True)
    assert Frame.objects.count() == 1


def test_another_park_keeps_its_own_frames(tmp_path: Path) -> None:
    make_deployment()
    make_deployment(make_lake("cornu", park="asters"), slug="other")
    write_jpeg(tmp_path / "card/1.jpg")
    assert run_import(tmp_path / "card")["new"] == 1
    assert run_import(tmp_path / "card", "other")["new"] == 1


def test_a_name_that_is_no_utf8_is_kept_in_words(tmp_path: Path) -> None:
    make_deployment()
    write_jpeg(tmp_path / "card/1.jpg")
    (tmp_path / "card/1.jpg").rename(os.fsdecode(os.fsencode(tmp_path / "card") + b"/\xe9.jpg"))
    assert run_import(tmp_path / "card")["new"] == 1
    assert Frame.objects.get().path == "\\xe9.jpg"


def test_an_interrupted_import_goes_on_in_the_same_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_deployment()
    card = tmp_path / "card"
    for number in range(3):
        write_jpeg(card / f"{number}.jpg", shade=40 * number)
    put = vault.put

    def full_after_one(*args: Any) -> tuple[str, int]:
        if CardFile.objects.exclude(sha256="").exists():
            raise OSError(28, "No space left on device")
        return put(*args)

    monkeypatch.setattr(vault, "put", full_after_one)
    with pytest.raises(CommandError, match="import the folder again"):
        run_import(card)
    monkeypatch.setattr(vault, "put", put)
    assert Frame.objects.count() == 1
    again = run_import(card)
    assert (again["received"], again["new"], again["complete"]) == (3, 3, True)
    assert Batch.objects.count() == 1


def test_another_card_with_the_same_names_is_another_batch(tmp_path: Path) -> None:
    deployment = make_deployment()
    first = open_batch(deployment=deployment, source="DCIM", user=None)  # never finished
    files = {"1.jpg": tmp_path / "a/1.jpg"}
    write_jpeg(files["1.jpg"], shade=1)
    announce(batch=first, files=[("1.jpg", 1)])
    assert store_from_disk(batch=first, files=files) == []
    write_jpeg(tmp_path / "b/DCIM/1.jpg", shade=80)
    assert run_import(tmp_path / "b/DCIM")["new"] == 1
    assert Batch.objects.count() == 2


def test_a_file_whose_reading_fails_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_deployment()
    for number in range(3):
        write_jpeg(tmp_path / f"card/{number}.jpg", shade=40 * number)
    original, seen = vault.original, []

    def lost(sha256: str) -> bytes:
        seen.append(sha256)
        if len(seen) == 2:
            raise FileNotFoundError(sha256)
        return original(sha256)

    monkeypatch.setattr(vault, "original", lost)
    result = run_import(tmp_path / "card")
    assert (result["new"], result["being_read"], result["complete"]) == (2, 1, False)


def test_an_unknown_deployment_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No deployment “nowhere”"):
        call_command("import_batch", str(tmp_path), deployment="nowhere")


def test_a_genuine_burst_has_its_true_instants(lent_cards: Path) -> None:
    make_deployment(clock_offset_minutes=0)
    assert run_import(lent_cards / "reconyx_burst")["new"] == 10
    for frame in Frame.objects.all():
        # The stamp as it lies in the bytes, found without an EXIF reader.
        head = (lent_cards / "reconyx_burst" / frame.path).read_bytes()[:4000]
        stamps = set(re.findall(rb"\d{4}:\d\d:\d\d \d\d:\d\d:\d\d", head))
        assert frame.captured_at is not None
        assert stamps == {f"{frame.captured_at:%Y:%m:%d %H:%M:%S}".encode()}


def test_damaged_files_are_named_in_the_receipt(lent_cards: Path) -> None:
    make_deployment()
    result = run_import(lent_cards / "mixed")
    assert result["received"] == result["announced"] == 9
    assert result["complete"]
    assert result["damaged"] == ["african_elephants_truncated_file.jpg"]
