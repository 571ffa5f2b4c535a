"""Cards that are copied into a folder come in once, whole and by themselves."""

from __future__ import annotations

import errno
import io
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from PIL import Image

from detection import tasks
from detection.cards import vault
from detection.cards.ingest import ingest_some
from detection.cards.receipt import receipt
from detection.cards.redate import redate
from detection.models import Batch, CardFile, Frame, RunFrame
from lacs_web.models import Park, Role
from tests.cast import person
from tests.detection.cards.pictures import jpeg
from tests.factories import examine, make_deployment


@pytest.fixture(autouse=True)
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "ring", lambda *_: None)


def look(folder: Path, **options: Any) -> str:
    out = io.StringIO()
    call_command(
        "watch_folder",
        str(folder),
        deployment="shore",
        once=True,
        stdout=out,
        stderr=out,
        **options,
    )
    return out.getvalue()


def write_later(path: Path, data: bytes) -> None:
    """Write a file so that the disk's time of its change is another: disks count in ticks."""
    before = path.stat().st_ctime_ns
    path.write_bytes(data)
    while path.stat().st_ctime_ns == before:
        os.utime(path)


@pytest.mark.django_db
def test_a_still_card_comes_in_once(tmp_path: Path) -> None:
    make_deployment()
    watched = tmp_path / "watched"
    (watched / "card").mkdir(parents=True)
    (watched / "empty").mkdir()
    (watched / "card/1.jpg").write_bytes(jpeg())
    (watched / "loose.jpg").write_bytes(jpeg())
    assert "card: 1 files" in look(watched, still=0)
    assert look(watched, still=0) == ""
    assert Batch.objects.get().closed_at
    (watched / "card/2.jpg").write_bytes(jpeg(shade=1))  # the card came back with more
    look(watched, still=0)
    assert Batch.objects.count() == 2
    assert CardFile.objects.count() == 3


@pytest.mark.django_db
def test_other_bytes_of_the_same_size_and_time_are_another_card(tmp_path: Path) -> None:
    """Copying keeps the times that files say of themselves."""
    make_deployment()
    picture = tmp_path / "watched/card/1.jpg"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(jpeg())
    look(tmp_path / "watched", still=0)
    before = picture.stat()
    write_later(picture, jpeg()[:-1] + b"x")
    os.utime(picture, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (picture.stat().st_size, picture.stat().st_mtime) == (before.st_size, before.st_mtime)
    assert "card: 1 files" in look(tmp_path / "watched", still=0)
    assert CardFile.objects.values("sha256").distinct().count() == 2


@pytest.mark.django_db
def test_a_file_that_is_still_written_while_it_is_read_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some programs that copy give a file its full size at once, and fill it then."""
    make_deployment()
    whole, watched = jpeg(), tmp_path / "watched"
    card = watched / "card"
    card.mkdir(parents=True)
    (card / "1.jpg").write_bytes(whole)
    (card / "2.jpg").write_bytes(whole[:200] + bytes(len(whole) - 200))
    put = vault.put

    def copying(chunks: Any, *more: Any) -> tuple[str, int]:
        if CardFile.objects.exclude(sha256="").exists():  # the first is here
            write_later(card / "2.jpg", whole[:-1] + b"x")
        return put(chunks, *more)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(vault, "put", copying)
        assert "card/2.jpg: changed while it was sent" in look(watched, still=0)
    assert Batch.objects.get().closed_at is None
    assert "card: 2 files are here" in look(watched, still=0)
    again, first = Batch.objects.all()
    assert (first.continued_by, again.files.filter(state="awaited").count()) == (again, 0)


@pytest.mark.django_db
@pytest.mark.parametrize("filled", [False, True])
def test_a_whole_file_takes_the_place_of_its_half(tmp_path: Path, filled: bool) -> None:
    deployment = make_deployment()
    noise = random.Random(1).randbytes(64 * 48 * 3)
    out, said = io.BytesIO(), Image.open(io.BytesIO(jpeg())).getexif()
    said.get_ifd(0x8769)
    Image.frombytes("RGB", (64, 48), noise).save(out, "JPEG", exif=said)
    whole, watched = out.getvalue(), tmp_path / "watched"
    half = whole[: len(whole) * 3 // 4]
    other = half[:-9] + b"otherwise"  # another card's damaged file of the same name
    picture = watched / "card/1.jpg"
    picture.parent.mkdir(parents=True)
    for data in (other, half + bytes(len(whole) - len(half)) if filled else half, whole):
        picture.write_bytes(data)
        look(watched, still=0)
        ingest_some(Batch.objects.all()[0])
        if data is not whole:
            examine(Frame.objects.latest("pk"))
            RunFrame.objects.update(state=RunFrame.State.PENDING)
    redate(deployment)
    assert [
        (frame.damaged, frame.quarantine, frame.captured_at is None)
        for frame in Frame.objects.order_by("pk")
    ] == [(True, "", False), (True, "superseded", True), (False, "", False)]
    frame = Frame.objects.get(quarantine="superseded")
    assert vault.is_whole(frame.sha256)  # nothing is lost
    found = receipt(frame.batch)
    assert (found["quarantined"], found["complete"]) == (1, True)
    assert found["files"][0]["reason"] == "half of a file that came whole later"
    assert [row.state for row in RunFrame.objects.order_by("frame")] == ["pending", "failed"]
    client = Client()
    client.force_login(person(Role.RANGER, deployment.lake))
    client.cookies["django_language"] = "en"
    page = client.get(reverse("detection:quarantine-card", args=[frame.batch_id]))
    assert "The whole files came later" in page.content.decode()


@pytest.mark.django_db
def test_a_card_that_the_park_has_no_room_for_stops_no_other(tmp_path: Path, settings: Any) -> None:
    make_deployment()
    settings.FILE_MAX_BYTES = 3 * 10**9
    Park.objects.update(quota_gb=1)
    (tmp_path / "a").mkdir()
    with (tmp_path / "a/1.avi").open("wb") as large:
        large.truncate(2 * 10**9)  # takes no room itself
    (tmp_path / "b").mkdir()
    (tmp_path / "b/1.jpg").write_bytes(jpeg())
    said = look(tmp_path, still=0)
    assert "a: the park has room for 1 GB" in said
    assert "b: 1 files are here" in said
    assert Batch.objects.count() == 1


@pytest.mark.django_db
def test_a_card_that_is_still_being_copied_waits(tmp_path: Path) -> None:
    make_deployment()
    (tmp_path / "card").mkdir()
    (tmp_path / "card/1.jpg").write_bytes(jpeg())
    assert look(tmp_path, still=60) == ""
    assert not Batch.objects.exists()


@pytest.mark.django_db
def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No deployment"):
        look(tmp_path)
    with pytest.raises(CommandError, match="not a folder"):
        look(tmp_path / "nowhere")


@pytest.mark.django_db
def test_a_card_of_too_many_files_stops_no_other(tmp_path: Path, settings: Any) -> None:
    make_deployment()
    settings.CARD_MAX_FILES = 1
    for name in ("a/1.jpg", "a/2.jpg", "b/1.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(jpeg())
    said = look(tmp_path, still=0)
    assert "a: a card may hold 1 files" in said
    assert "b: 1 files are here" in said


@pytest.mark.django_db
def test_a_file_that_is_too_large_is_named_once_and_the_rest_is_closed(
    tmp_path: Path, settings: Any
) -> None:
    make_deployment()
    watched = tmp_path / "watched"
    (watched / "card").mkdir(parents=True)
    (watched / "card/1.jpg").write_bytes(jpeg())
    (watched / "card/2.avi").write_bytes(b"0" * 5000)
    settings.FILE_MAX_BYTES = 4000
    said = look(watched, still=0)
    assert "card/2.avi: larger than this server takes" in said
    assert "card: 1 files are here" in said
    assert "do not erase" in said
    assert look(watched, still=0) == ""
    assert Batch.objects.get().closed_at
    settings.FILE_MAX_BYTES = 9000  # somebody raised the limit
    assert "card: 2 files are here" in look(watched, still=0)
    assert Batch.objects.count() == 1


@pytest.mark.django_db
def test_what_fails_is_said_once_and_left_alone_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_deployment()
    (tmp_path / "card").mkdir()
    (tmp_path / "card/1.jpg").write_bytes(jpeg())
    tried: list[int] = []

    def full(*_: Any) -> None:
        tried.append(1)
        raise OSError(errno.ENOSPC, "No space left on device")

    rounds = iter(range(5))

    def sleep(_: float) -> None:
        if next(rounds, None) is None:
            raise KeyboardInterrupt

    monkeypatch.setattr(vault, "put", full)
    monkeypatch.setattr(time, "sleep", sleep)
    out = io.StringIO()
    with pytest.raises(KeyboardInterrupt):
        call_command(
            "watch_folder", str(tmp_path), deployment="shore", still=0, stdout=out, stderr=out
        )
    assert (len(tried), out.getvalue()) == (1, "card/1.jpg: the server's disk is full\n")


@pytest.mark.django_db
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_name_of_odd_bytes_is_said_wherever_it_is_printed(tmp_path: Path, encoding: str) -> None:
    make_deployment()
    card = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xe9 \xc3\xa9"))
    card.mkdir()
    (card / "1.jpg").write_bytes(jpeg())
    (card / "._\u00e9").write_bytes(b"")
    raw = io.BytesIO()
    strict = io.TextIOWrapper(raw, encoding=encoding, errors="strict", write_through=True)
    call_command(
        "watch_folder", str(tmp_path), deployment="shore", once=True, still=0, stdout=strict
    )
    assert b"\\xe9" in raw.getvalue()
    assert b"1 things were not taken" in raw.getvalue()


@pytest.mark.django_db(transaction=True)
def test_it_waits_for_the_last_file(tmp_path: Path) -> None:
    make_deployment()
    watched = tmp_path / "watched"
    (watched / "card").mkdir(parents=True)
    database = connection.settings_dict
    process = subprocess.Popen(
        [sys.executable, "manage.py", "watch_folder", str(watched), "--deployment", "shore",
         "--still", "1.5"],
        env=os.environ | {
            "DATABASE_URL": f"postgresql://{database['USER']}@/{database['NAME']}"
            f"?host={database['HOST']}",
            "LACS_DATA": str(tmp_path),
        },
    )  # fmt: skip
    try:
        for n in range(6):  # for longer than the pause that ends a copying
            (watched / f"card/{n}.jpg").write_bytes(jpeg(shade=n))
            time.sleep(0.5)
            assert not Batch.objects.exists()
        for _ in range(200):
            if Batch.objects.filter(closed_at__isnull=False).exists():
                break
            time.sleep(0.1)
        assert Batch.objects.get().files.count() == 6
    finally:
        process.kill()
        process.wait()
