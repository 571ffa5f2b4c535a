"""A folder becomes frames, and its receipt adds up whatever the folder holds."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from PIL import Image

from detection import claims
from detection.cards import ingest, vault, words
from detection.cards.receipt import receipt
from detection.cards.receive import announce, announced, listing, open_batch, store_from_disk
from detection.models import Batch, CardFile, Frame
from lacs_web.models import Park
from tests.factories import make_deployment, make_lake

pytestmark = pytest.mark.django_db


def write_jpeg(path: Path, *, taken: str = "2025:07:26 14:00:00", shade: int = 90) -> bytes:
    exif = Image.Exif()
    if taken:
        exif.get_ifd(0x8769)[0x9003] = taken
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 48), (shade, 120, 140)).save(path, exif=exif)
    return path.read_bytes()


def card_of(folder: Path, count: int) -> Path:
    """A card of so many pictures, and a place to import it to."""
    make_deployment()
    for number in range(count):
        write_jpeg(folder / f"{number}.jpg", shade=20 * number)
    return folder


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
    # Stored in English, whoever stored it: each reader's page translates it.
    assert states["undated.JPG"] == ("quarantined", "the file carries no date")
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
    write_jpeg(tmp_path / "a/1.jpg", shade=1)
    files, _ = listing(tmp_path / "a")
    announce(batch=first, files=announced(files))
    assert store_from_disk(batch=first, files=files) == []
    write_jpeg(tmp_path / "b/DCIM/1.jpg", shade=80)
    assert run_import(tmp_path / "b/DCIM")["new"] == 1
    assert Batch.objects.count() == 2


def test_a_file_whose_reading_fails_stops_no_other_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.LEASE_SECONDS = 1
    card = card_of(tmp_path / "card", 3)
    original, seen = vault.original, []

    def lost(sha256: str) -> bytes:
        seen.append(sha256)
        if len(seen) == 2:
            raise OSError(errno.EIO, sha256)
        return original(sha256)

    monkeypatch.setattr(vault, "original", lost)
    result = run_import(card)
    assert (result["new"], result["being_read"], result["complete"]) == (3, 0, True)
    assert len(seen) == 4


def test_where_nothing_can_be_written_no_more_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.INGEST_THREADS = 1
    card = card_of(tmp_path / "card", 12)
    original, seen, refused = vault.original, [], Event()

    def slowly(sha256: str) -> bytes:
        seen.append(sha256)
        assert len(seen) < 3 or refused.wait(30)
        return original(sha256)

    def full(*_args: Any) -> None:
        raise OperationalError("the database's disk is full")

    class Pool(ThreadPoolExecutor):
        """Lets `slowly` go on once it has been told."""

        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            refused.set()
            super().shutdown(wait=wait)

    monkeypatch.setattr(ingest, "ThreadPoolExecutor", Pool)
    monkeypatch.setattr(vault, "original", slowly)
    monkeypatch.setattr(ingest, "SETTLED_AT_ONCE", 1)
    monkeypatch.setattr(ingest, "_settle", full)
    with pytest.raises(OperationalError):
        run_import(card)
    assert len(seen) <= 3
    assert set(CardFile.objects.values_list("attempts", flat=True)) == {0, 1}
    assert claims.free(CardFile.objects.filter(state="stored")).count() == 11


def test_what_the_disk_has_spoilt_is_not_safe_and_may_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_deployment()
    data = write_jpeg(tmp_path / "card/1.jpg")
    original = vault.original
    monkeypatch.setattr(vault, "original", lambda sha256: original(sha256)[:-1] + b"x")
    result = run_import(tmp_path / "card")
    assert (result["received"], result["complete"]) == (0, False)
    assert [file["path"] for file in result["missing"]] == ["1.jpg"]
    monkeypatch.undo()
    assert not vault.holds(hashlib.sha256(data).hexdigest())
    assert run_import(tmp_path / "card")["complete"]


def test_a_file_that_shrinks_while_it_is_imported_is_not_taken_for_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_deployment()
    whole = write_jpeg(tmp_path / "card/1.jpg")
    put = vault.put

    def half(chunks: Any, *more: Any) -> tuple[str, int]:
        (tmp_path / "card/1.jpg").write_bytes(whole[:200])
        return put(chunks, *more)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(vault, "put", half)
        with pytest.raises(CommandError, match="import the folder again"):
            run_import(tmp_path / "card")
    assert CardFile.objects.get().state == CardFile.State.AWAITED
    (tmp_path / "card/1.jpg").write_bytes(whole)
    assert run_import(tmp_path / "card")["new"] == 1


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


def test_a_byte_and_its_spelling_are_two_files_also_in_the_name_of_the_card(
    tmp_path: Path,
) -> None:
    make_deployment()
    card = Path(os.fsdecode(os.fsencode(tmp_path) + b"/card \xe9"))
    write_jpeg(tmp_path / "plain/1.jpg", shade=10)
    (tmp_path / "plain").rename(card)
    (card / "1.jpg").rename(os.fsdecode(os.fsencode(card) + b"/\xe9.jpg"))
    write_jpeg(card / "\\xe9.jpg", shade=200)
    for number, folder in enumerate((b"\\xe9", b"\xe9")):  # and where their folders are alike
        for name in (b"\\xe9.jpg", b"\xe9.jpg"):
            at = Path(os.fsdecode(os.fsencode(card) + b"/" + folder + b"/" + name))
            at.parent.mkdir(exist_ok=True)
            at.write_bytes(b"%d %s" % (number, name))
    result = run_import(card)
    assert (result["new"], result["unreadable"]) == (2, 4)
    assert Batch.objects.get().source == "card \\xe9"


def test_a_folder_that_cannot_be_listed_is_no_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_deployment()
    write_jpeg(tmp_path / "card/100/1.jpg")
    write_jpeg(tmp_path / "card/101/2.jpg")
    (tmp_path / "card/.Trashes").mkdir()
    scandir, broken = os.scandir, {"101", ".Trashes"}

    def dying(path: Any) -> Any:
        if Path(path).name in broken:
            raise OSError(errno.EIO, "Input/output error", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", dying)
    with pytest.raises(CommandError, match="101 cannot be read: Input/output error"):
        run_import(tmp_path / "card")
    assert not Batch.objects.exists()
    broken.remove("101")  # a computer's own folder is none of ours, open or closed
    assert run_import(tmp_path / "card")["received"] == 2


def test_another_card_of_the_same_name_never_joins_one_that_was_cut_off_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_deployment()
    write_jpeg(tmp_path / "one/100MEDIA/1.jpg")
    write_jpeg(tmp_path / "two/100MEDIA/2.jpg", shade=200)

    def full(*_: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(vault, "put", full)
        with pytest.raises(CommandError):
            run_import(tmp_path / "one/100MEDIA")
    result = run_import(tmp_path / "two/100MEDIA")
    assert (result["announced"], result["new"]) == (1, 1)
    assert Batch.objects.count() == 2


def test_a_file_that_grew_while_it_was_copied_does_not_block_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_deployment()
    whole = write_jpeg(tmp_path / "card/1.jpg")
    (tmp_path / "card/1.jpg").write_bytes(whole[:100])

    def full(*_: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(vault, "put", full)
        with pytest.raises(CommandError):
            run_import(tmp_path / "card")
    (tmp_path / "card/1.jpg").write_bytes(whole)
    result = run_import(tmp_path / "card")
    assert (result["announced"], result["new"], result["complete"]) == (1, 1, True)


def text_import(folder: Path, **options: Any) -> str:
    out = io.StringIO()
    try:
        call_command(
            "import_batch", str(folder), deployment="shore", stdout=out, stderr=out, **options
        )
    except CommandError as problem:
        out.write(f"\n{problem}")
    return out.getvalue()


def test_hidden_pictures_are_taken_and_what_computers_leave_is_named(tmp_path: Path) -> None:
    make_deployment()
    card = tmp_path / "card"
    write_jpeg(card / ".DCIM/1.jpg")
    write_jpeg(card / ".2.jpg", shade=10)
    write_jpeg(card / ".Trashes/501/3.jpg", shade=20)
    write_jpeg(card / "._2.jpg", shade=30)
    (card / "DCIM").symlink_to(tmp_path)
    (card / "4.jpg").symlink_to(card / ".2.jpg")
    os.mkfifo(card / "pipe")
    said = text_import(card)
    result = run_import(card)
    assert {frame.path for frame in Frame.objects.all()} == {".DCIM/1.jpg", ".2.jpg"}
    names = [".Trashes", "._2.jpg", "4.jpg", "DCIM", "pipe"]
    assert result["left_out"] == {"count": 5, "names": names}
    assert "2 of 2 files are safe" in said
    assert all(f"  {name}\n" in said for name in names)


def test_a_file_that_is_too_large_is_named_and_the_rest_is_closed(
    tmp_path: Path, settings: Any
) -> None:
    make_deployment()
    write_jpeg(tmp_path / "card/1.jpg")
    (tmp_path / "card/2.avi").write_bytes(b"0" * 5000)
    settings.FILE_MAX_BYTES = 4000
    said = text_import(tmp_path / "card")
    assert "2.avi: larger than this server takes" in said
    assert "closed without 1 files" in said
    assert "may be erased" not in said
    batch = Batch.objects.get()
    assert batch.closed_at
    assert [row["path"] for row in receipt(batch)["missing"]] == ["2.avi"]


def test_why_files_failed_is_said_and_a_card_may_be_finished_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_deployment()
    write_jpeg(tmp_path / "card/1.jpg")
    write_jpeg(tmp_path / "card/2.jpg", shade=200)
    put, why = vault.put, [errno.ENOSPC]

    def failing(chunks: Any, *more: Any) -> tuple[str, int]:
        if CardFile.objects.exclude(sha256="").exists():
            raise OSError(why[0], os.strerror(why[0]))
        return put(chunks, *more)

    monkeypatch.setattr(vault, "put", failing)
    said = text_import(tmp_path / "card")
    assert "2.jpg: the server's disk is full" in said
    assert "import the folder again" in said
    assert Batch.objects.get().closed_at is None
    why[0] = errno.EIO
    said = text_import(tmp_path / "card", finish=True)
    assert "2.jpg: Input/output error" in said
    batch = Batch.objects.get()
    assert batch.closed_at
    missing = [{"path": "2.jpg", "reason": words.NOT_READ_FROM_CARD}]
    assert receipt(batch)["missing"] == missing


def test_what_waits_for_the_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_deployment()
    write_jpeg(tmp_path / "card/1.jpg")

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(vault, "put_preview", full)
    said = text_import(tmp_path / "card")
    assert f"1.jpg: {words.NO_PREVIEW}" in said
    assert "may be erased" not in said


def test_a_folder_of_too_many_files_is_refused_in_words(tmp_path: Path, settings: Any) -> None:
    make_deployment()
    settings.CARD_MAX_FILES = 1
    write_jpeg(tmp_path / "card/1.jpg")
    write_jpeg(tmp_path / "card/2.jpg")
    assert "import one folder of it at a time" in text_import(tmp_path / "card")
    assert not Batch.objects.exists()


def test_a_card_that_the_park_has_no_room_for_is_refused_in_words(tmp_path: Path) -> None:
    make_deployment()
    Park.objects.update(quota_gb=0)
    write_jpeg(tmp_path / "card/1.jpg")
    assert "card: the park has room for 0 GB" in text_import(tmp_path / "card")
    assert not Batch.objects.exists()
    Park.objects.update(quota_gb=1)
    assert run_import(tmp_path / "card")["complete"]
