"""Files that a worker makes: whole however often it is killed, and nobody's but the asker's.

What is shown of people may change at any moment: then no byte of an older file leaves.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation import retention
from annotation.models import Draft, SettledFrame
from dashboards import exporting, kept, ranges, tasks
from dashboards.formats import pieces, training
from dashboards.formats.taking import frames as taken
from dashboards.models import KeptExport, KeptPiece
from dashboards.periods import Period
from detection.cards import purging, vault
from detection.models import Detection, Frame, Purge
from lacs_web import leaving
from lacs_web.models import AuditEvent, Lake, Membership, Role, User
from tests.cast import person
from tests.dashboards.survey import FIRST, LAST, at, make_survey, read, seen
from tests.detection.test_backups import bucket as bucket
from tests.factories import examine, make_frame

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
WHOLE = Period(FIRST, LAST)
ASKED = {"from": str(FIRST), "to": str(LAST)}
Commit = Callable[..., Any]


@pytest.fixture
def lake() -> Lake:
    lake = make_survey().lake
    lake.latitude, lake.longitude = 44.97, 6.06
    lake.save()
    unseen = [each for each in shore(lake) if not each.run_frames.exists()]
    examine(*unseen, boxes={unseen[0].pk: seen(2)})
    return lake


def shore(lake: Lake) -> list[Frame]:
    return list(lake.deployments.get().frames.order_by("captured_at"))


@pytest.fixture
def officer(lake: Lake) -> User:
    return person(Role.OFFICER, lake)


@pytest.fixture
def mine(client: Client, officer: User) -> Client:
    client.force_login(officer)
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture a piece."""
    monkeypatch.setattr(training, "PICTURES", 1)
    monkeypatch.setattr(tasks, "ring", lambda *_: None)


def make_preview(frame: Frame) -> None:
    picture = np.full((120, 160, 3), 140, np.uint8)
    vault.put_preview(frame.sha256, simplejpeg.encode_jpeg(picture, colorspace="RGB"))


def ask(lake: Lake, by: User, kind: str = "coco") -> KeptExport:
    return kept.ask(kind=kind, lake=lake, period=WHOLE, by=by)[0]


def ready(lake: Lake, by: User, kind: str = "coco") -> KeptExport:
    row = ask(lake, by, kind)
    kept.go_on(row.pk)
    row.refresh_from_db()
    assert row.state == "ready"
    return row


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def take(client: Client, row: KeptExport, **headers: str) -> Any:
    return client.get(reverse("dashboards:kept-file", args=[row.pk]), headers=headers)


def stored(row: KeptExport) -> list[str]:
    try:
        return default_storage.listdir(f"exports/{row.pk}")[1]
    except FileNotFoundError:
        return []


@pytest.mark.parametrize("kind", kept.KINDS)
def test_a_kept_file_is_what_streams(mine: Client, lake: Lake, officer: User, kind: str) -> None:
    row = ready(lake, officer, kind)
    assert row.done == row.total > 0
    answer = take(mine, row)
    data = body(answer)
    assert len(data) == row.size == int(answer["Content-Length"])
    streamed = b"".join(exporting.export(kind=kind, lake=lake, period=WHOLE, by=None).parts)
    if kind == "megadetector":
        assert json.loads(data)["images"] == json.loads(streamed)["images"]
        return
    one, other = (zipfile.ZipFile(io.BytesIO(each)) for each in (data, streamed))
    assert one.testzip() is None
    assert one.namelist() == other.namelist()
    for name in one.namelist():
        if name != "datapackage.json":  # says when it was made
            assert one.read(name) == other.read(name), name


@pytest.mark.parametrize("kind", kept.KINDS)
def test_a_killed_worker_costs_one_piece_and_doubles_nothing(
    mine: Client, lake: Lake, officer: User, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = body(take(mine, ready(lake, officer, kind)))
    row, put, puts = ask(lake, officer, kind), vault.put, []

    def cut(chunks: Iterator[bytes], *args: Any, **named: Any) -> Any:
        puts.append(named["name"])
        now = KeptExport.objects.get(pk=row.pk)
        assert now.done == sum(each.done or 0 for each in now.pieces.all())
        if len(puts) % 2:
            list(islice(chunks, 3))
            raise KeyboardInterrupt  # in the middle of a piece, having told how far it was
        return put(chunks, *args, **named)

    monkeypatch.setattr(vault, "put", cut)
    monkeypatch.setattr(kept, "TOLD_EVERY", 0)
    for _ in range(20):
        row.refresh_from_db()
        if row.state == "ready":
            break
        before = row.pieces.count()
        try:
            kept.go_on(row.pk)
        except KeyboardInterrupt:
            assert not kept.go_on(row.pk)  # its claim holds
            KeptExport.objects.update(lease_until=Now() - timedelta(seconds=1))
        assert row.pieces.count() - before <= 1
    assert row.state == "ready"
    assert row.done == row.total
    numbers = list(row.pieces.values_list("number", flat=True))
    assert numbers == list(range(len(numbers)))
    again = body(take(mine, row))
    if kind != "megadetector":
        one, other = (zipfile.ZipFile(io.BytesIO(each)) for each in (again, whole))
        assert one.testzip() is None
        assert one.namelist() == other.namelist()
        assert len(set(one.namelist())) == len(one.namelist())
    else:
        assert json.loads(again)["images"] == json.loads(whole)["images"]
    assert sorted(f"exports/{row.pk}/{name}" for name in stored(row)) == sorted(
        row.pieces.values_list("name", flat=True)
    )


def test_a_worker_whose_claim_was_lost_leaves_nothing(
    lake: Lake, officer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, put = ask(lake, officer), vault.put

    def late(*args: Any, **named: Any) -> Any:
        KeptExport.objects.update(claim=None)
        return put(*args, **named)

    monkeypatch.setattr(vault, "put", late)
    assert not kept.go_on(row.pk)
    assert not stored(row)
    assert not KeptPiece.objects.exists()


def test_a_message_works_for_a_while_and_then_lets_others(lake: Lake, officer: User) -> None:
    row = ask(lake, officer)
    turns = 0
    while kept.go_on(row.pk, seconds=0):
        turns += 1
        row.refresh_from_db()
        assert (row.claim, row.attempts, row.done) == (None, 0, turns)
    row.refresh_from_db()
    assert row.state == "ready"
    assert turns == row.total == 3


def test_what_stops_a_worker_again_and_again_is_given_up(
    lake: Lake, officer: User, mine: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = ask(lake, officer)
    monkeypatch.setattr(vault, "put", lambda *_args, **_named: 1 / 0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            tasks.make_export(row.pk)
        KeptExport.objects.update(lease_until=Now() - timedelta(seconds=1))
    tasks.sweep_exports()
    row.refresh_from_db()
    assert row.state == "failed"
    assert b"could not be made" in take(mine, row, Range="bytes=0-").content


# Privacy


def a_box(frame: Frame) -> None:
    run = frame.run_frames.get().run
    Detection.objects.create(run=run, frame=frame, label="person", source_class="person",
                             score=0.1, x=0.6, y=0.6, w=0.1, h=0.1)  # fmt: skip


def a_draft(frame: Frame) -> None:
    boxes = [{"label": "person", "x": 0.6, "y": 0.6, "w": 0.1, "h": 0.1}]
    Draft.objects.create(
        frame=frame, reviewer=person(Role.VOLUNTEER, frame.deployment.lake), boxes=boxes
    )


def coarser(frame: Frame) -> None:
    Lake.objects.update(mask_cells=4)


def a_purge(frame: Frame) -> None:
    Purge.objects.create(frame=frame, rule={"days": 1})


def elsewhere(frame: Frame) -> None:
    other = make_survey(Lake.objects.create(park=frame.park, name="Other", slug="other"))
    Frame.objects.filter(pk=frame.pk).update(deployment=other)


@pytest.mark.parametrize("change", [a_box, a_draft, coarser, a_purge, elsewhere])
def test_nobody_gets_what_may_be_shown_otherwise_since(
    mine: Client, lake: Lake, officer: User, change: Callable[[Frame], None],
    django_capture_on_commit_callbacks: Commit,
) -> None:  # fmt: skip
    # As though two had agreed: whoever may settle alone rules out what others draw.
    SettledFrame.objects.update(rule={"clause": "two"})
    row = ready(lake, officer)
    assert take(mine, row).status_code == 200
    change(shore(lake)[2])
    with django_capture_on_commit_callbacks(execute=True):
        answer = take(mine, row, Range="bytes=0-9")
    assert answer.status_code == 410
    assert b"make it again" in answer.content
    row.refresh_from_db()
    assert row.state == "withdrawn"
    assert not stored(row)
    said = mine.get(reverse("dashboards:kept-file", args=[row.pk]), follow=True).content.decode()
    assert "make it again" in said
    assert "Make it again" in said
    assert AuditEvent.objects.filter(action="exported").count() == 1


def test_what_changes_while_it_leaves_cuts_it_off(lake: Lake, officer: User) -> None:
    row = ready(lake, officer)
    kept.check(row)
    parts = kept.parts(row, 0, row.size - 1, officer)
    next(parts)
    a_box(shore(lake)[2])
    with pytest.raises(kept.NotServed):
        list(parts)
    lost = kept.parts(row, 0, row.size - 1, officer)
    Membership.objects.filter(user=officer).delete()
    with pytest.raises(kept.NotServed):
        next(lost)


@pytest.mark.parametrize("kind", kept.KINDS)
def test_erasing_an_instant_takes_the_files_that_hold_it(
    lake: Lake, officer: User, kind: str, django_capture_on_commit_callbacks: Commit
) -> None:
    row = ready(lake, officer, kind)
    with django_capture_on_commit_callbacks(execute=True):
        retention.erase(lake=lake, first=at(25, 15), last=at(25, 15), why="asked", user=officer)
    row.refresh_from_db()
    assert row.state == "withdrawn"
    assert not stored(row)


def test_a_file_that_is_being_made_stops_when_a_frame_goes(lake: Lake, officer: User) -> None:
    row = ask(lake, officer)
    kept.go_on(row.pk, seconds=0)
    purging.begin(of=shore(lake)[0], rule={"days": 1}, by=None)
    assert not kept.go_on(row.pk)
    row.refresh_from_db()
    assert row.state == "withdrawn"


@pytest.mark.parametrize("who", [*Role, "superuser"])
def test_only_the_asker_gets_it(client: Client, lake: Lake, officer: User, who: str) -> None:
    row = ready(lake, officer)
    other = (
        User.objects.create_superuser("boss@example.org")
        if who == "superuser"
        else person(who, lake, "other")
    )
    client.force_login(other)
    for name in ("kept-file", "api-kept-file", "api-kept-export"):
        assert client.get(reverse(f"dashboards:{name}", args=[row.pk])).status_code == 404
    assert client.post(reverse("dashboards:kept-end", args=[row.pk])).status_code == 404
    assert KeptExport.objects.filter(pk=row.pk).exists()
    shown = client.get(reverse("dashboards:exports", args=[lake.slug])).content.decode()
    assert f"kept-{row.pk}" not in shown
    assert f"exports/{row.pk}/" not in shown


def test_who_lost_the_right_gets_it_no_more(mine: Client, lake: Lake, officer: User) -> None:
    row = ready(lake, officer)
    Membership.objects.filter(user=officer).update(role=Role.RANGER)
    assert take(mine, row).status_code == 403
    Membership.objects.filter(user=officer).delete()
    assert take(mine, row).status_code == 404


def test_files_go_with_their_person_with_time_and_with_their_row(
    lake: Lake, officer: User, django_capture_on_commit_callbacks: Commit, mine: Client
) -> None:
    person(Role.ADMINISTRATOR, lake)
    old, asked, left = (
        ready(lake, officer),
        ready(lake, officer, "yolo"),
        ask(lake, officer, "camtrap-dp"),
    )
    with django_capture_on_commit_callbacks(execute=True):
        kept.end(kept=asked, by=officer)
        assert stored(asked)
    assert not stored(asked)
    KeptExport.objects.filter(pk=old.pk).update(ends_at=timezone.now())
    assert take(mine, old, Range="bytes=0-").status_code == 410  # also before the next tidy
    with django_capture_on_commit_callbacks(execute=True):
        tasks.tidy_exports()
    assert not KeptExport.objects.filter(pk=old.pk).exists()
    assert not stored(old)
    kept.go_on(left.pk, seconds=0)
    assert stored(left)
    default_storage.save("exports/0/00000-orphan", io.BytesIO(b"x"))  # a worker killed too late
    with django_capture_on_commit_callbacks(execute=True):
        leaving.forget(user=officer)
        kept.tidy()
    assert not stored(left)
    assert not default_storage.exists("exports/0/00000-orphan")
    assert default_storage.listdir("exports") == ([], [])


def test_bytes_that_a_lost_worker_left_go_with_the_next_tidy(lake: Lake, officer: User) -> None:
    row = ready(lake, officer)
    default_storage.save(f"exports/{row.pk}/00000-lost", io.BytesIO(b"x"))
    kept.tidy()
    assert len(stored(row)) == row.pieces.count()
    kept.check(row)


# Asking, following, taking


def test_asking_again_while_it_is_made_is_one(lake: Lake, officer: User) -> None:
    first, again = ask(lake, officer), ask(lake, officer)
    assert first == again
    assert AuditEvent.objects.filter(action="export asked for").count() == 1
    kept.go_on(first.pk)
    newer = ask(lake, officer)  # once it is ready, a newer one takes its place
    assert list(kept.mine(officer)) == [newer]
    for kind in ("yolo", "camtrap-dp", "megadetector"):
        ask(lake, officer, kind)
    for day in range(2):
        period = Period(FIRST, LAST - timedelta(days=day + 1))
        if day == 0:
            kept.ask(kind="coco", lake=lake, period=period, by=officer)
            continue
        with pytest.raises(ValidationError):
            kept.ask(kind="coco", lake=lake, period=period, by=officer)


def test_the_page_follows_a_file_until_it_is_there(
    mine: Client, lake: Lake, officer: User, django_assert_num_queries: Any
) -> None:
    make = reverse("dashboards:kept-make", args=[lake.slug, "coco"])
    page = mine.post(make, ASKED, follow=True).content.decode()
    row = KeptExport.objects.get()
    assert "hx-get" in page
    assert "0 of 3 frames written" in page
    assert "waits for a worker" in page
    kept.go_on(row.pk, seconds=0)
    KeptExport.objects.update(seconds=100)
    where = reverse("dashboards:kept", args=[lake.slug])
    with django_assert_num_queries(4):  # session, person, lake, files
        state = mine.get(where).content.decode()
    assert "1 of 3 frames written" in state
    assert "4 minutes left" in state
    while kept.go_on(row.pk):
        pass
    state = mine.get(where).content.decode()
    assert "hx-get" not in state
    assert reverse("dashboards:kept-file", args=[row.pk]) in state
    gone = mine.post(reverse("dashboards:kept-end", args=[row.pk]), follow=True)
    assert f"kept-{row.pk}" not in gone.content.decode()
    for wrong in ({"from": str(LAST), "to": str(FIRST)}, {}):
        assert b"alert-warning" in mine.post(make, wrong, follow=True).content
    figures = reverse("dashboards:kept-make", args=[lake.slug, "xlsx"])
    assert mine.post(figures, ASKED).status_code == 404  # such files stream
    Lake.objects.update(latitude=None, longitude=None)
    dp = reverse("dashboards:kept-make", args=[lake.slug, "camtrap-dp"])
    assert b"alert-warning" in mine.post(dp, ASKED, follow=True).content
    assert not KeptExport.objects.exists()


def test_a_download_that_was_cut_off_goes_on(mine: Client, lake: Lake, officer: User) -> None:
    row = ready(lake, officer)
    first = take(mine, row)
    whole, tag = body(first), first["ETag"]
    assert first["Accept-Ranges"] == "bytes"
    assert first["Cache-Control"].startswith("max-age=0")
    half = row.size // 2
    got = b""
    for asked in (f"bytes=0-{half}", f"bytes={half + 1}-"):
        answer = take(mine, row, Range=asked, **{"If-Range": tag})
        assert answer.status_code == 206
        got += body(answer)
    assert got == whole
    assert answer["Content-Range"] == f"bytes {half + 1}-{row.size - 1}/{row.size}"
    assert body(take(mine, row, Range="bytes=-7")) == whole[-7:]
    changed = take(mine, row, Range="bytes=5-", **{"If-Range": '"another"'})
    assert (changed.status_code, body(changed)) == (200, whole)
    wrong = take(mine, row, Range=f"bytes={row.size}-")
    assert (wrong.status_code, wrong["Content-Range"]) == (416, f"bytes */{row.size}")
    head = mine.head(reverse("dashboards:kept-file", args=[row.pk]))
    assert (head.status_code, int(head["Content-Length"])) == (200, row.size)
    events = AuditEvent.objects.filter(action="exported").order_by("pk")
    assert events[0].detail == {"format": "coco", "file": str(row.pk), **ASKED}
    assert events[1].detail["bytes"] == f"0-{half}"
    assert {event.user for event in events} == {officer}
    assert events.count() == 5  # each that left


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", (0, 0)), ("bytes=2-99", (2, 9)), ("bytes=-3", (7, 9)), ("bytes=-99", (0, 9)),
        ("bytes=4-", (4, 9)), ("bytes=0-1,4-5", None), ("bytes=5-2", None), ("lines=0-1", None),
        ("bytes=-", None), ("", None), ("bytes=٣-", None), ("bytes=" + "9" * 400 + "-", None),
    ],
)  # fmt: skip
def test_ranges(header: str, expected: tuple[int, int] | None) -> None:
    found = ranges.asked(header, "", "t", 10)
    assert (found and (found.first, found.last)) == expected


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=-0", "bytes=99-100"])
def test_ranges_of_nothing(header: str) -> None:
    with pytest.raises(ranges.Unsatisfiable):
        ranges.asked(header, "", "t", 10)


def test_programs_ask_follow_and_take(mine: Client, lake: Lake, officer: User) -> None:
    where = reverse("dashboards:api-kept", args=[lake.slug])
    asked = mine.post(where, ASKED | {"kind": "megadetector"}, content_type="application/json")
    assert asked.status_code == 201
    said = asked.json()
    assert said["state"] == "pending"
    again = mine.post(where, ASKED | {"kind": "megadetector"}, content_type="application/json")
    assert (again.status_code, again.json()["file"]) == (200, said["file"])
    one = reverse("dashboards:api-kept-export", args=[said["file"]])
    file = reverse("dashboards:api-kept-file", args=[said["file"]])
    refused = mine.get(file)
    assert (refused.status_code, refused.json()["why"]) == (409, "pending")
    kept.go_on(said["file"])
    said = mine.get(one).json()
    assert (said["state"], said["done"], said["from"]) == ("ready", said["total"], str(FIRST))
    (listed,) = mine.get(where).json()["results"]
    assert listed == said
    answer = mine.get(file, headers={"Range": "bytes=0-9"})
    assert (answer.status_code, len(body(answer))) == (206, 10)
    beyond = mine.get(file, headers={"Range": f"bytes={said['size']}-"})
    assert (beyond.status_code, beyond["Content-Type"]) == (416, "application/problem+json")
    retention.erase(lake=lake, first=at(25, 15), last=at(25, 15), why="asked", user=officer)
    refused = mine.get(file)
    assert (refused.status_code, refused.json()["why"]) == (410, "changed")
    assert mine.delete(one).status_code == 204
    assert mine.get(one).status_code == 404
    wrong = mine.post(where, ASKED | {"kind": "xlsx"}, content_type="application/json")
    assert wrong.json()["errors"].keys() == {"kind"}


@pytest.mark.parametrize("kind", kept.KINDS)
def test_the_command_goes_on_where_it_was_cut_off(
    lake: Lake, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, names = tmp_path / "out", []
    written = pieces.written

    def cut(piece: Any, **named: Any) -> Iterator[bytes]:
        names.append(named["offset"])
        for n, part in enumerate(written(piece, **named)):
            if len(names) == 2 and n == 0:
                yield part[:5]
                raise KeyboardInterrupt
            yield part

    monkeypatch.setattr(pieces, "written", cut)
    with pytest.raises(KeyboardInterrupt):
        call_command("export", kind, lake.slug, "--output", str(target))
    assert not target.exists()
    call_command("export", kind, lake.slug, "--output", str(target))
    assert names[2] == names[1] > 0  # from the piece that was cut off, not from the first
    whole = b"".join(exporting.export(kind=kind, lake=lake, period=WHOLE, by=None).parts)
    if kind == "megadetector":
        assert json.loads(target.read_bytes())["images"] == json.loads(whole)["images"]
    else:
        one, other = zipfile.ZipFile(target), zipfile.ZipFile(io.BytesIO(whole))
        assert one.testzip() is None
        assert one.namelist() == other.namelist()
    assert not list(tmp_path.glob(".out*"))


def test_the_command_begins_anew_where_a_mask_changed(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, offsets, written = tmp_path / "out", [], pieces.written

    def cut(piece: Any, **named: Any) -> Iterator[bytes]:
        offsets.append(named["offset"])
        if len(offsets) == 3:
            raise KeyboardInterrupt
        return written(piece, **named)

    monkeypatch.setattr(pieces, "written", cut)
    with pytest.raises(KeyboardInterrupt):
        call_command("export", "coco", lake.slug, "--output", str(target))
    a_box(shore(lake)[0])
    call_command("export", "coco", lake.slug, "--output", str(target))
    assert offsets[3] == 0
    assert zipfile.ZipFile(target).testzip() is None


def test_the_command_leaves_nothing_where_a_mask_changed_meanwhile(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, written, seen = tmp_path / "out", pieces.written, []

    def drawn(piece: Any, **named: Any) -> Iterator[bytes]:
        seen.append(piece)
        if len(seen) == 2:  # the first is on the disk
            a_box(shore(lake)[0])
        return written(piece, **named)

    monkeypatch.setattr(pieces, "written", drawn)
    with pytest.raises(CommandError, match="run it again"):
        call_command("export", "coco", lake.slug, "--output", str(target))
    assert not target.exists()
    assert not list(tmp_path.glob(".out*"))
    call_command("export", "coco", lake.slug, "--output", str(target))
    assert zipfile.ZipFile(target).testzip() is None


def test_two_commands_do_not_write_one_file(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, written = tmp_path / "out", pieces.written
    tried: list[Any] = []

    def also(piece: Any, **named: Any) -> Iterator[bytes]:
        if not tried:
            tried.append(piece)
            with pytest.raises(CommandError, match="another export"):
                call_command("export", "coco", lake.slug, "--output", str(target))
        return written(piece, **named)

    monkeypatch.setattr(pieces, "written", also)
    call_command("export", "coco", lake.slug, "--output", str(target))
    assert tried
    assert zipfile.ZipFile(target).testzip() is None


def test_a_slow_reader_is_cut_off_too(
    lake: Lake, officer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "LOOKED_EVERY", 0.0)
    monkeypatch.setattr(kept, "_PART", 16)
    row = ready(lake, officer)
    parts = kept.parts(row, 0, row.size - 1, officer)
    next(parts)
    kept.withdraw(KeptExport.objects.filter(pk=row.pk))
    with pytest.raises(kept.NotServed):
        next(parts)


def test_a_frame_dated_anew_takes_the_file_that_shows_it(lake: Lake, officer: User) -> None:
    row, frame = ready(lake, officer), shore(lake)[0]
    Frame.objects.filter(pk=frame.pk).update(captured_at=None, quarantine="no_date")
    frame.refresh_from_db()
    kept.forget(frame)
    row.refresh_from_db()
    assert row.state == "withdrawn"


def test_a_bucket_keeps_files_as_a_disk_does(
    mine: Client, lake: Lake, officer: User, bucket: str,
    django_capture_on_commit_callbacks: Commit,
) -> None:  # fmt: skip
    for frame in shore(lake):
        make_preview(frame)
    row = ready(lake, officer)
    whole = body(take(mine, row))
    half = row.size // 2
    assert body(take(mine, row, Range=f"bytes={half}-")) == whole[half:]
    assert zipfile.ZipFile(io.BytesIO(whole)).testzip() is None
    assert len(stored(row)) == row.pieces.count()
    with django_capture_on_commit_callbacks(execute=True):
        retention.erase(lake=lake, first=at(25, 15), last=at(25, 15), why="asked", user=officer)
    assert not stored(row)


# What it costs


def test_making_costs_few_queries_a_picture(
    lake: Lake, officer: User, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(training, "PICTURES", 50)
    for n in range(20):
        frame = make_frame(lake.deployments.get(), at(27, 15) + timedelta(minutes=15 * n))
        read(frame, n % 3)
        examine(frame)
    row = ask(lake, officer)
    with django_assert_num_queries(25):  # of 23 pictures: the same for 50
        kept.go_on(row.pk)
    row.refresh_from_db()
    assert row.done == 23
    with django_assert_num_queries(9):  # pieces, their frames and masks, purges, the first file
        kept.check(row)
    assert len(list(taken(lake, WHOLE, settled=True))) == 23
