"""Handing over a card by its API: every call may be repeated, and nothing is taken on trust."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage, default_storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext

from detection import claims, tasks
from detection.cards import receive, vault, words
from detection.cards.ingest import ingest_all, ingest_some
from detection.models import Batch, CardFile, Deployment, Frame
from lacs_web.models import AuditEvent, Lake, Park, Role
from tests.cast import person
from tests.detection.cards.pictures import jpeg
from tests.factories import make_deployment, make_lake

pytestmark = pytest.mark.django_db
Files = dict[str, bytes]


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Batches that the worker was rung for, instead of messages."""
    calls: list[int] = []
    monkeypatch.setattr(tasks, "ring", lambda _task, row: calls.append(row))
    monkeypatch.setattr(tasks, "_rung", {})
    return calls


class Hand:
    """Somebody with a card, as the browser acts."""

    def __init__(self, deployment: Deployment, name: str = "ranger") -> None:
        self.deployment = deployment
        self.client = Client()
        self.client.force_login(person(Role.RANGER, deployment.lake, name))

    def post(self, name: str, body: Any, language: str = "fr", **where: Any) -> Any:
        return self.client.post(
            reverse(f"detection:{name}", kwargs=where),
            body,
            content_type="application/json",
            headers={"accept-language": language},
        )

    def open(
        self, files: Files, fingerprint: str = "a" * 64, changed: dict[str, Any] | None = None
    ) -> Any:
        asked = {
            "deployment": self.deployment.slug,
            "source": "DCIM",
            "fingerprint": fingerprint,
            "files": len(files),
            **(changed or {}),
        }
        return self.post("api-cards", asked, lake=self.deployment.lake.slug)

    def announce(self, batch: int, files: Files) -> list[int | None]:
        lines = [{"path": path, "size": len(data)} for path, data in files.items()]
        answer = self.post("api-manifest", {"files": lines}, batch=batch)
        assert answer.status_code == 200, answer.content
        ids: list[int | None] = answer.json()["ids"]
        return ids

    def put(self, batch: int, file: int | None, data: bytes, sha256: str = "") -> Any:
        where = {"batch": batch, "file": file, "sha256": sha256 or sha(data)}
        return self.client.put(
            reverse("detection:api-file", kwargs=where), data, "application/octet-stream"
        )

    def close(self, batch: int, **body: Any) -> Any:
        return self.post("api-close", body, "en", batch=batch)

    def receipt(self, batch: int) -> dict[str, Any]:
        result: dict[str, Any] = self.client.get(
            reverse("detection:api-receipt", args=[batch]), headers={"accept-language": "en"}
        ).json()
        return result

    def hand_over(self, files: Files, fingerprint: str = "a" * 64) -> dict[str, Any]:
        """All of it, read too; gives the receipt."""
        batch = self.open(files, fingerprint).json()["batch"]
        for pk, data in zip(self.announce(batch, files), files.values(), strict=True):
            assert pk is None or self.put(batch, pk, data).status_code in (200, 201)
        assert self.close(batch).status_code == 200
        read_all(batch)
        result = self.receipt(batch)
        parts = ("new", "duplicate", "unreadable", "quarantined", "set_aside")
        assert result["received"] == sum(result[part] for part in parts)
        return result


def read_all(batch: int) -> None:
    while ingest_some(Batch.objects.get(pk=batch)):
        pass


def batch_files(batch: int) -> list[str]:
    return list(CardFile.objects.filter(batch=batch).values_list("state", flat=True))


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def hand() -> Hand:
    return Hand(make_deployment())


def test_a_card_becomes_frames_and_its_receipt_says_so(hand: Hand, rung: list[int]) -> None:
    files = {f"100MEDIA/{n}.JPG": jpeg(shade=n) for n in range(3)}
    result = hand.hand_over(files)
    assert (result["announced"], result["received"], result["new"]) == (3, 3, 3)
    assert result["complete"]
    assert {vault.original(frame.sha256) for frame in Frame.objects.all()} == set(files.values())
    assert rung == [result["batch"]] * 2  # once for three files, once for closing
    assert AuditEvent.objects.filter(action="batch closed").count() == 1


def test_every_call_may_be_repeated(hand: Hand) -> None:
    files = {"1.jpg": jpeg(), "2.jpg": jpeg(shade=1)}
    batch = hand.open(files).json()["batch"]
    assert hand.open(files).json()["batch"] == batch
    ids = hand.announce(batch, files)
    assert hand.announce(batch, files) == ids
    assert hand.put(batch, ids[0], files["1.jpg"]).status_code == 201
    assert hand.put(batch, ids[0], files["1.jpg"]).status_code == 200
    assert hand.announce(batch, files) == [None, ids[1]]
    assert hand.put(batch, ids[1], files["2.jpg"]).status_code == 201
    first, second = hand.close(batch), hand.close(batch)
    assert first.json()["closed_at"] == second.json()["closed_at"] is not None
    assert CardFile.objects.count() == 2


def test_an_interrupted_card_goes_on_at_another_computer(hand: Hand) -> None:
    files = {f"{n}.jpg": jpeg(shade=n) for n in range(3)}
    batch = hand.open(files).json()["batch"]
    hand.put(batch, hand.announce(batch, files)[0], files["0.jpg"])
    other = Hand(hand.deployment, "colleague")
    assert other.open(files).json() | {"opened_at": ""} == {
        "batch": batch,
        "stored": 1,
        "opened_at": "",
    }
    assert other.hand_over(files)["complete"]


def test_a_card_closed_without_a_file_takes_it_later(hand: Hand) -> None:
    files = {"1.jpg": jpeg(), "2.jpg": jpeg(shade=1)}
    batch = hand.open(files).json()["batch"]
    ids = hand.announce(batch, files)
    hand.put(batch, ids[0], files["1.jpg"])
    why = {"id": ids[1], "reason": "could not be read from the card"}
    closed = hand.close(batch, problems=[why]).json()
    ingest_some(Batch.objects.get())
    assert not closed["complete"]
    assert closed["missing"] == [{"path": "2.jpg", "reason": why["reason"]}]
    result = hand.hand_over(files)
    assert (result["batch"], result["complete"], result["missing"]) == (batch, True, [])


def test_the_same_card_twice_is_not_sent_again(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"1.jpg": jpeg(), "2.jpg": jpeg(shade=1)}
    first = hand.hand_over(files)
    batch = hand.open(files).json()["batch"]
    assert batch != first["batch"]
    ids = hand.announce(batch, files)
    asked = [{"id": pk, "sha256": sha(data)} for pk, data in zip(ids, files.values(), strict=True)]
    questions = []
    with monkeypatch.context() as counted:
        for way in ("exists", "size"):
            real = getattr(FileSystemStorage, way)

            def ask(self: Any, name: str, real: Any = real) -> Any:
                questions.append(name)
                return real(self, name)

            counted.setattr(FileSystemStorage, way, ask)
        answer = hand.post("api-recognise", {"files": asked}, batch=batch)
    assert answer.json()["stored"] == ids
    assert len(questions) == len(files)  # one of each, for a bucket is far away
    result = hand.hand_over(files)
    assert (result["duplicate"], result["new"], result["complete"]) == (2, 0, True)
    assert [one["batch"] for one in result["duplicates_of"]] == [first["batch"]]
    assert Frame.objects.count() == 2


def test_another_parks_pictures_are_not_recognised(hand: Hand) -> None:
    files = {"1.jpg": jpeg()}
    hand.hand_over(files)
    stranger = Hand(make_deployment(make_lake("cornu", park="asters"), slug="other"))
    batch = stranger.open(files).json()["batch"]
    (pk,) = stranger.announce(batch, files)
    asked = {"files": [{"id": pk, "sha256": sha(files["1.jpg"])}]}
    assert stranger.post("api-recognise", asked, batch=batch).json() == {"stored": []}
    assert stranger.hand_over(files)["new"] == 1


def test_another_lake_s_pictures_are_not_told(hand: Hand) -> None:
    """Within a park a picture counts once; with which card it came is that lake's to know."""
    files = {"1.jpg": jpeg()}
    hand.hand_over(files)
    near = Hand(make_deployment(make_lake("muzelle"), slug="near"))
    batch = near.open(files).json()["batch"]
    (pk,) = near.announce(batch, files)
    asked = {"files": [{"id": pk, "sha256": sha(files["1.jpg"])}]}
    assert near.post("api-recognise", asked, batch=batch).json() == {"stored": []}
    result = near.hand_over(files)
    assert (result["duplicate"], result["complete"]) == (1, True)
    assert result["duplicates_of"] == []
    assert [file["reason"] for file in result["files"]] == [words.ELSEWHERE]


@pytest.mark.parametrize("name", ["picture.jpg", "notes.txt"])
def test_lost_bytes_are_asked_for_again(hand: Hand, name: str) -> None:
    files = {name: jpeg() if name == "picture.jpg" else b"no picture"}
    hand.hand_over(files)
    kept = Path(default_storage.path(vault.original_name(sha(files[name]))))
    kept.unlink()
    batch = hand.open(files).json()["batch"]
    (pk,) = hand.announce(batch, files)
    asked = {"files": [{"id": pk, "sha256": sha(files[name])}]}
    assert hand.post("api-recognise", asked, batch=batch).json() == {"stored": []}
    assert hand.hand_over(files)["complete"]
    assert kept.read_bytes() == files[name]


@pytest.mark.parametrize("left", [None, b"rotten"])
def test_a_duplicate_whose_bytes_are_gone_is_awaited(hand: Hand, left: bytes | None) -> None:
    files = {"1.jpg": jpeg()}
    hand.hand_over(files)
    kept = Path(default_storage.path(vault.original_name(sha(files["1.jpg"]))))
    batch = hand.open(files).json()["batch"]
    (pk,) = hand.announce(batch, files)
    hand.put(batch, pk, files["1.jpg"])
    hand.close(batch)
    kept.unlink() if left is None else kept.write_bytes(left)
    ingest_some(Batch.objects.get(pk=batch))
    answer = hand.client.get(reverse("detection:api-receipt", args=[batch])).json()
    assert (answer["complete"], [one["path"] for one in answer["missing"]]) == (False, ["1.jpg"])
    assert hand.put(batch, pk, files["1.jpg"]).status_code == 201
    ingest_some(Batch.objects.get(pk=batch))
    answer = hand.client.get(reverse("detection:api-receipt", args=[batch])).json()
    assert (answer["complete"], answer["duplicate"]) == (True, 1)
    assert kept.read_bytes() == files["1.jpg"]


@pytest.mark.parametrize("left", [None, b"rotten"])
def test_a_video_whose_bytes_are_gone_is_awaited(hand: Hand, left: bytes | None) -> None:
    files = {"clip.mp4": b"ftyp" + b"0" * 40, "whole.avi": b"RIFF" + b"0" * 40}
    batch = hand.open(files).json()["batch"]
    ids = hand.announce(batch, files)
    for pk, data in zip(ids, files.values(), strict=True):
        hand.put(batch, pk, data)
    hand.close(batch)
    kept = Path(default_storage.path(vault.original_name(sha(files["clip.mp4"]))))
    kept.unlink() if left is None else kept.write_bytes(left)
    read_all(batch)
    answer = hand.receipt(batch)
    assert (answer["complete"], answer["set_aside"]) == (False, 1)
    assert answer["missing"] == [{"path": "clip.mp4", "reason": words.DAMAGED_HERE}]
    assert hand.put(batch, ids[0], files["clip.mp4"]).status_code == 201
    read_all(batch)
    assert hand.receipt(batch)["complete"]


@pytest.fixture
def tired(settings: Any) -> None:
    """Leases end at once: what failed is tried again by the next who asks."""
    settings.LEASE_SECONDS = -1


def test_an_original_that_the_disk_no_longer_gives_is_awaited_and_replaced(
    hand: Hand, tired: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"1.jpg": jpeg(), "2.jpg": jpeg(shade=1)}
    batch = hand.open(files).json()["batch"]
    ids = hand.announce(batch, files)
    for pk, data in zip(ids, files.values(), strict=True):
        hand.put(batch, pk, data)
    hand.close(batch)
    broken, opened = {vault.original_name(sha(files["1.jpg"]))}, FileSystemStorage.open

    def dying(storage: Any, name: str, *more: Any) -> Any:
        if name in broken:
            raise OSError(errno.EIO, "Input/output error")
        return opened(storage, name, *more)

    monkeypatch.setattr(FileSystemStorage, "open", dying)
    read_all(batch)
    answer = hand.receipt(batch)
    assert (answer["complete"], answer["new"], answer["unreadable"]) == (False, 1, 0)
    assert answer["missing"] == [{"path": "1.jpg", "reason": words.DAMAGED_HERE}]
    kept = Path(default_storage.path(vault.original_name(sha(files["1.jpg"]))))
    assert kept.exists()  # it may be read again some day: nothing is thrown away before it came
    asked = {"files": [{"id": ids[0], "sha256": sha(files["1.jpg"])}]}
    assert hand.post("api-recognise", asked, batch=batch).json() == {"stored": []}
    kept.write_bytes(b"what the dying disk gives")
    assert hand.put(batch, ids[0], files["1.jpg"]).status_code == 201
    assert kept.read_bytes() == files["1.jpg"]
    broken.clear()
    read_all(batch)
    assert (hand.receipt(batch)["complete"], hand.receipt(batch)["new"]) == (True, 2)


def test_a_preview_that_cannot_be_written_is_written_later(
    hand: Hand, tired: None, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    files = {"1.jpg": jpeg(), "2.jpg": b"no picture"}
    batch = hand.open(files).json()["batch"]
    for pk, data in zip(hand.announce(batch, files), files.values(), strict=True):
        hand.put(batch, pk, data)
    hand.close(batch)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(vault, "put_preview", full)
        for _ in range(5):
            ingest_some(Batch.objects.get())
        tasks.sweep()
        settings.LEASE_SECONDS = 60
        assert sum(ingest_all(Batch.objects.get())) == 1  # and nobody waits for it
        settings.LEASE_SECONDS = -1
        answer = hand.receipt(batch)
        assert (answer["complete"], answer["being_read"], answer["unreadable"]) == (False, 1, 1)
        assert answer["waiting"] == [{"path": "1.jpg", "reason": words.NO_PREVIEW}]
        page = hand.client.get(reverse("detection:batch", args=[batch]))
        assert page.context["waiting"] == 1
    CardFile.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    ingest_some(Batch.objects.get())
    answer = hand.receipt(batch)
    assert (answer["complete"], answer["new"], answer["waiting"]) == (True, 1, [])


def test_what_stops_the_worker_again_and_again_is_given_up_by_the_sweep(
    hand: Hand, tired: None, rung: list[int]
) -> None:
    files = {"1.jpg": jpeg(), "2.jpg": jpeg(shade=1)}
    batch = hand.open(files).json()["batch"]
    for pk, data in zip(hand.announce(batch, files), files.values(), strict=True):
        hand.put(batch, pk, data)
    hand.close(batch)

    for _ in range(6):  # three for each, and each time the process died
        assert len(claims.claim(CardFile.objects.filter(state="stored"), 1)[1]) == 1
    Path(default_storage.path(vault.original_name(sha(files["2.jpg"])))).unlink()
    rung.clear()
    tasks.sweep()
    answer = hand.receipt(batch)
    assert (answer["being_read"], answer["unreadable"], answer["complete"]) == (0, 1, False)
    assert [one["path"] for one in answer["missing"]] == ["2.jpg"]
    assert rung == [batch]


def test_a_closed_card_takes_only_what_is_missing(hand: Hand) -> None:
    files = {"1.jpg": jpeg(), "2.jpg": jpeg(shade=1)}
    batch = hand.open(files).json()["batch"]
    ids = hand.announce(batch, files)
    hand.put(batch, ids[0], files["1.jpg"])
    hand.close(batch)
    lines = {"files": [{"path": "3.jpg", "size": 1}]}
    more = hand.post("api-manifest", lines, batch=batch)
    again = hand.put(batch, ids[0], files["1.jpg"][:-1] + b"x")
    assert (more.status_code, again.status_code) == (409, 409)
    with translation.override("fr"):  # the language of whoever chose none
        said = gettext("This card is closed; hand over a new one.")
    assert more.json()["detail"] == again.json()["detail"] == said
    assert hand.put(batch, ids[1], files["2.jpg"]).status_code == 201
    # Somebody else with the same card may be a little later.
    assert hand.put(batch, ids[1], files["2.jpg"]).status_code == 200
    assert CardFile.objects.count() == 2


def interrupted(hand: Hand, files: Files, came: int, **modified: float) -> int:
    """A card of which the first files came, and then no more."""
    batch: int = hand.open(files, sha(str(files).encode())).json()["batch"]
    lines = [
        {"path": path, "size": len(data), "modified": modified.get("modified")}
        for path, data in files.items()
    ]
    ids = hand.post("api-manifest", {"files": lines}, batch=batch).json()["ids"]
    for pk, data in list(zip(ids, files.values(), strict=True))[:came]:
        assert hand.put(batch, pk, data).status_code == 201
    return batch


def test_a_card_that_comes_again_with_a_changed_file_ends_the_first_attempt(hand: Hand) -> None:
    files = {"1.jpg": jpeg(), "2.jpg": jpeg(shade=1)[:300]}
    first = interrupted(hand, files, came=1)
    again = hand.hand_over({**files, "2.jpg": jpeg(shade=1), "3.jpg": jpeg(shade=2)}, "b" * 64)
    assert (again["complete"], again["batch"] != first) == (True, True)
    read_all(first)
    ended = hand.receipt(first)
    assert (ended["closed"], ended["complete"]) == (True, False)
    assert ended["continued_by"] == again["batch"]
    counts = reverse("detection:batch", args=[again["batch"]])
    page = hand.client.get(reverse("detection:batch", args=[first]))
    assert counts in page.content.decode()
    room = hand.client.get(reverse("detection:cards", args=[hand.deployment.lake.slug]))
    assert room.content.decode().count(counts) == 2
    assert AuditEvent.objects.filter(action="batch continued by another").count() == 1
    # The folder as it was then is another card again, and no end of this one.
    assert hand.open(files, sha(str(files).encode())).json()["batch"] not in (first, again["batch"])


def test_of_an_attempt_with_nothing_here_the_instant_of_a_file_is_proof(hand: Hand) -> None:
    files = {"1.jpg": jpeg(), "2.jpg": jpeg(shade=1)[:300]}
    first = interrupted(hand, files, came=0, modified=1753531200000)
    files["2.jpg"] = jpeg(shade=1)
    again = interrupted(hand, files, came=2, modified=1753531200000)
    assert hand.close(again).json()["closed"]
    assert hand.receipt(first)["continued_by"] == again


@pytest.mark.parametrize(
    ("second", "came"),
    [
        ({"1.jpg": jpeg(shade=7), "2.jpg": jpeg(shade=8)}, 2),  # another card, the same names
        ({"1.jpg": jpeg()}, 1),  # names less than was named
        ({"1.jpg": jpeg(), "2.jpg": jpeg(shade=1)}, 1),  # has not come itself
    ],
)
@pytest.mark.parametrize("before", [0, 1])
def test_another_card_ends_nothing(hand: Hand, before: int, second: Files, came: int) -> None:
    first = interrupted(hand, {"1.jpg": jpeg(), "2.jpg": b"half"}, came=before)
    other = interrupted(hand, second, came=came)
    assert hand.close(other).json()["closed"]
    ended = hand.receipt(first)
    assert (ended["continued_by"], ended["closed"]) == (None, False)


@pytest.mark.parametrize("before", [0, 1])
def test_the_same_settings_on_two_cards_prove_nothing(hand: Hand, before: int) -> None:
    settings = {"CAMERA.CFG": b"interval=600"}
    first = interrupted(hand, {**settings, "1.jpg": jpeg()}, came=before, modified=1753531200000)
    second = {**settings, "1.jpg": jpeg(shade=1) + b"longer"}
    other = interrupted(hand, second, came=2, modified=1753531200000)
    assert hand.close(other).json()["closed"]
    assert hand.receipt(first)["continued_by"] is None


def test_a_card_closed_before_it_was_continued_keeps_the_day_of_its_closing(hand: Hand) -> None:
    files = {"1.jpg": jpeg(), "2.jpg": jpeg(shade=1)[:300]}
    first = interrupted(hand, files, came=1)
    hand.close(first)
    closed = timezone.now() - timedelta(days=9)
    Batch.objects.update(closed_at=closed)
    again = hand.hand_over({**files, "2.jpg": jpeg(shade=1)}, "b" * 64)
    ended = Batch.objects.get(pk=first)
    assert (ended.continued_by_id, ended.closed_at) == (again["batch"], closed)


def test_two_rangers_with_the_same_card_fill_one_batch(hand: Hand) -> None:
    other = Hand(hand.deployment, "colleague")
    files = {"1.jpg": jpeg(), "2.jpg": jpeg(shade=1)}
    batch = hand.open(files).json()["batch"]
    assert other.open(files).json()["batch"] == batch
    ids = hand.announce(batch, files)
    assert other.announce(batch, files) == ids
    for pk, data in zip(ids, files.values(), strict=True):
        assert {hand.put(batch, pk, data).status_code, other.put(batch, pk, data).status_code} == {
            200,
            201,
        }
    assert (hand.close(batch).status_code, other.close(batch).status_code) == (200, 200)
    while ingest_some(Batch.objects.get()):
        pass
    assert Frame.objects.count() == 2


def test_bytes_that_are_not_what_they_should_be_are_refused(
    hand: Hand, data_folder: Path, rung: list[int]
) -> None:
    files = {"1.jpg": jpeg()}
    batch = hand.open(files).json()["batch"]
    (pk,) = hand.announce(batch, files)
    assert hand.put(batch, pk, files["1.jpg"][:-1], sha(files["1.jpg"])).status_code == 422
    assert hand.put(batch, pk, files["1.jpg"], "..").status_code == 422
    assert hand.put(batch, pk, files["1.jpg"], "A" * 64).status_code == 422
    assert CardFile.objects.get().state == CardFile.State.AWAITED
    assert [path for path in (data_folder / "media").rglob("*") if path.is_file()] == []
    assert rung == []


@pytest.mark.parametrize("sent", [0, 100, 2000])
def test_more_or_fewer_bytes_than_announced_are_no_such_file(
    hand: Hand, data_folder: Path, sent: int
) -> None:
    whole = jpeg() + b"0" * 2000
    files = {"1.jpg": whole[:1000]}
    batch = hand.open(files).json()["batch"]
    (pk,) = hand.announce(batch, files)
    answer = hand.put(batch, pk, whole[:sent])
    assert (answer.status_code, answer.json()["why"]) == (422, "resized")
    assert answer.json()["detail"]
    row = CardFile.objects.get()
    assert (row.state, row.size, row.sha256) == (CardFile.State.AWAITED, 1000, "")
    assert [path for path in (data_folder / "media").rglob("*") if path.is_file()] == []
    assert not hand.close(batch).json()["complete"]
    assert hand.put(batch, pk, whole[:1000]).status_code == 201


def test_known_bytes_of_another_size_are_no_such_file(hand: Hand) -> None:
    files = {"1.jpg": jpeg()}
    hand.hand_over(files)
    batch = hand.open(files, "b" * 64).json()["batch"]
    (pk,) = hand.announce(batch, {"1.jpg": files["1.jpg"] + b"0"})
    asked = {"files": [{"id": pk, "sha256": sha(files["1.jpg"])}]}
    assert hand.post("api-recognise", asked, batch=batch).json() == {"stored": []}
    assert batch_files(batch) == [CardFile.State.AWAITED]


def test_what_is_too_large_is_named_and_never_safe(hand: Hand, settings: Any) -> None:
    settings.FILE_MAX_BYTES = 1000
    files = {"1.jpg": b"\xff\xd8" + b"0" * 2000}
    batch = hand.open(files).json()["batch"]
    (pk,) = hand.announce(batch, files)
    answer = hand.put(batch, pk, files["1.jpg"])
    assert answer.status_code == 413
    assert answer.json()["detail"]
    result = hand.close(batch).json()
    assert not result["complete"]
    assert result["missing"] == [{"path": "1.jpg", "reason": "larger than this server takes"}]


def test_more_than_was_said_is_cut_off(settings: Any, data_folder: Path) -> None:
    """The length that a request states proves nothing."""
    settings.FILE_MAX_BYTES = 1000
    with pytest.raises(vault.TooLarge):
        vault.put(b"0" * 600 for _ in range(2))
    assert [path for path in (data_folder / "media").rglob("*") if path.is_file()] == []


def test_a_full_disk_is_said_in_words(
    hand: Hand, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    files = {"1.jpg": jpeg()}
    batch = hand.open(files).json()["batch"]
    (pk,) = hand.announce(batch, files)
    settings.DISK_RESERVE_BYTES = 2**62
    answer = hand.put(batch, pk, files["1.jpg"])
    assert answer.status_code == 507
    assert answer.json()["detail"]
    settings.DISK_RESERVE_BYTES = 0

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert hand.put(batch, pk, files["1.jpg"]).status_code == 507
    monkeypatch.undo()
    settings.DISK_RESERVE_BYTES = 0
    assert hand.put(batch, pk, files["1.jpg"]).status_code == 201


def test_a_park_keeps_no_more_than_its_quota(hand: Hand) -> None:
    park = Deployment.objects.get().lake.park
    Park.objects.update(quota_gb=1)
    batch = hand.open({"1.jpg": b"", "2.jpg": b""}).json()["batch"]
    row = {"path": "1.jpg", "size": 10**9, "modified": None}
    where = f"/api/v1/cards/{batch}/manifest"
    said = [
        hand.client.post(where, {"files": [one]}, content_type="application/json")
        for one in (row, row | {"path": "2.jpg", "size": 1})
    ]
    assert [one.status_code for one in said] == [200, 409]
    assert "1" in said[1].json()["detail"]
    assert [file.path for file in CardFile.objects.all()] == ["1.jpg"]
    Park.objects.update(quota_gb=0)  # what was announced before goes on
    again = hand.client.post(where, {"files": [row]}, content_type="application/json")
    assert again.status_code == 200
    Park.objects.filter(pk=park.pk).update(quota_gb=None)
    again = hand.client.post(where, {"files": [row]}, content_type="application/json")
    assert again.status_code == 200


def test_other_bytes_under_a_known_path_are_kept_too(hand: Hand) -> None:
    files = {"1.jpg": jpeg()}
    other = files["1.jpg"][:-1] + b"x"
    batch = hand.open(files).json()["batch"]
    (pk,) = hand.announce(batch, files)
    assert hand.put(batch, pk, files["1.jpg"]).status_code == 201
    assert hand.put(batch, pk, other).status_code == 201
    assert hand.put(batch, pk, other).status_code == 200
    assert dict(CardFile.objects.values_list("path", "sha256")) == {
        "1.jpg": sha(files["1.jpg"]), f"1.jpg [{sha(other)[:12]}]": sha(other),
    }  # fmt: skip
    assert hand.close(batch).json()["announced"] == 2
    assert hand.put(batch, pk, other[:-1] + b"y").status_code == 409  # closed


def test_a_file_that_changed_since_it_came_is_asked_for_again(hand: Hand) -> None:
    """At the same size only its time, and then its hash, tells."""
    data = jpeg()
    batch = hand.open({"1.jpg": data}).json()["batch"]

    def announced(modified: float | None) -> int | None:
        line = {"path": "1.jpg", "size": len(data), "modified": modified}
        answer = hand.post("api-manifest", {"files": [line]}, batch=batch)
        ids: list[int | None] = answer.json()["ids"]
        return ids[0]

    pk = announced(1_753_500_000_000)
    assert hand.put(batch, pk, data).status_code == 201
    # A memory card keeps times to two seconds, and some browsers give none.
    assert [announced(when) for when in (1_753_500_000_000, 1_753_500_001_500, None)] == [None] * 3
    assert announced(1_753_500_060_000) == pk
    same = hand.post("api-recognise", {"files": [{"id": pk, "sha256": sha(data)}]}, batch=batch)
    assert same.json() == {"stored": [pk]}
    assert hand.put(batch, pk, data[:-1] + b"x").status_code == 201
    assert CardFile.objects.count() == 2


def test_names_are_labels_and_nothing_more(hand: Hand) -> None:
    names = [
        "../../../etc/passwd",
        "/absolute.jpg",
        "carte été/photo n° 1.JPG",
        "n" * 255 + ".jpg",
        "深" * 900 + ".jpg",
        "nul\x00.jpg",
        "<script>alert(1)</script>.jpg",
        " spaces .jpg ",
        "100MEDIA/IMG_0001.JPG",
        "101MEDIA/IMG_0001.JPG",
    ]
    files = {name: jpeg(shade=n) for n, name in enumerate(names)}
    result = hand.hand_over(files)
    assert (result["new"], result["complete"]) == (len(names), True)
    assert hand.hand_over(files)["duplicate"] == len(names)  # the same labels at the second try
    batch = result["batch"]
    page = hand.client.get(reverse("detection:batch", args=[batch]))
    assert b"<script>alert" not in page.content


def test_two_files_with_one_name_are_two(hand: Hand) -> None:
    data = [jpeg(shade=n).ljust(2000 + n // 2, b"0") for n in range(3)]
    batch = hand.open(dict.fromkeys("abc", b"")).json()["batch"]
    sizes = [2000, 2000, 2001]
    lines = [{"path": "1.jpg", "size": size} for size in sizes]
    answer = hand.post("api-manifest", {"files": lines}, batch=batch).json()["ids"]
    assert len(set(answer)) == 3
    assert hand.post("api-manifest", {"files": lines}, batch=batch).json()["ids"] == answer
    for pk, one in zip(answer, data, strict=True):
        assert hand.put(batch, pk, one).status_code == 201
    hand.close(batch)
    while ingest_some(Batch.objects.get()):
        pass
    assert Frame.objects.count() == 3


def test_what_the_browser_left_out_stands_in_the_receipt(hand: Hand) -> None:
    files = {"1.jpg": jpeg()}
    told = {"left_out": [".Trashes", "a\x00\ud800"], "left_out_count": 7}
    batch = hand.open(files, changed=told).json()["batch"]
    assert hand.receipt(batch)["left_out"] == {"count": 7, "names": [".Trashes", "a\\x00\\ud800"]}
    hand.open(files, changed={"left_out": ["Thumbs.db"], "left_out_count": 1})
    assert hand.receipt(batch)["left_out"] == {"count": 1, "names": ["Thumbs.db"]}
    assert hand.open(files, changed={"left_out": ["x"] * 201}).status_code == 400


def test_thousands_of_files_with_one_name_are_named_at_once(hand: Hand) -> None:
    same = [receive.Announced("1.jpg", 7)] * 20_000 + [receive.Announced("1.jpg [2]", 7)]
    batch = Batch.objects.create(deployment=hand.deployment)
    before = time.monotonic()
    assert len(set(receive._named(batch, same))) == 20_001
    assert time.monotonic() - before < 5  # each against all of them took half a minute


def test_every_kind_of_file_has_its_place(hand: Hand) -> None:
    result = hand.hand_over(
        {
            "good.jpg": jpeg(),
            "empty.jpg": b"",
            "clip.avi": b"RIFF" + b"0" * 40,
            "notes.txt": b"no picture",
            "undated.jpg": jpeg(taken="", shade=1),
            "cut.jpg": jpeg(shade=2)[:150],
        }
    )
    assert [result[part] for part in ("new", "unreadable", "quarantined", "set_aside")] == [
        1, 3, 1, 1,
    ]  # fmt: skip
    assert result["complete"]


def test_the_manifest_must_be_whole(hand: Hand) -> None:
    files = {"1.jpg": jpeg(), "2.jpg": jpeg(shade=1)}
    batch = hand.open(files).json()["batch"]
    hand.announce(batch, {"1.jpg": files["1.jpg"]})
    answer = hand.close(batch)
    assert answer.status_code == 409
    assert Batch.objects.get().closed_at is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"files": 0}, 400),
        ({"files": 10**9}, 413),
        ({"fingerprint": "no"}, 400),
        ({"deployment": "nowhere"}, 400),
        ({"source": "x" * 5000}, 200),
        ({"source": "\ud800"}, 200),
    ],
)
def test_odd_openings(hand: Hand, body: dict[str, Any], status: int) -> None:
    assert hand.open({"1.jpg": b""}, changed=body).status_code == status


@pytest.mark.parametrize(
    "body",
    [
        "not json",
        "[]",
        "{}",
        '{"files": 1}',
        '{"files": [{"path": "", "size": 1}]}',
        '{"files": [{"path": "a", "size": -1}]}',
        '{"files": [{"path": "a", "size": 1e400}]}',
    ],
)
def test_an_odd_manifest_is_refused_whole(hand: Hand, body: str) -> None:
    batch = hand.open({"1.jpg": b""}).json()["batch"]
    assert hand.post("api-manifest", body, batch=batch).status_code == 400
    assert CardFile.objects.count() == 0


def test_a_deep_body_is_refused_in_words(hand: Hand) -> None:
    answer = hand.post("api-cards", "[" * 200_000, lake=hand.deployment.lake.slug)
    assert answer.status_code == 400
    assert answer.json()["detail"]


@pytest.mark.parametrize("modified", [None, 0, -1, 1e300, 1753531200000.5, -(2.0**62)])
def test_a_file_may_say_anything_of_its_age(hand: Hand, modified: float | None) -> None:
    batch = hand.open({"1.jpg": b""}).json()["batch"]
    lines = [{"path": "1.jpg", "size": 1, "modified": modified}]
    assert hand.post("api-manifest", {"files": lines}, batch=batch).status_code == 200


def test_a_card_of_too_many_files_is_refused(hand: Hand, settings: Any) -> None:
    settings.CARD_MAX_FILES = 2
    batch = hand.open({"1.jpg": b""}).json()["batch"]
    lines = [{"path": str(n), "size": 1} for n in range(3)]
    assert hand.post("api-manifest", {"files": lines}, batch=batch).status_code == 413
    assert CardFile.objects.count() == 0


def test_the_camera_and_its_newest_deployment_are_proposed(hand: Hand) -> None:
    lake = hand.deployment.lake
    camera = hand.deployment.camera
    Deployment.objects.filter(pk=hand.deployment.pk).update(
        ends_at=timezone.now() - timedelta(days=9)
    )
    newest = Deployment.objects.create(
        lake=lake,
        camera=camera,
        slug="newest",
        viewpoint="New",
        starts_at=timezone.now() - timedelta(days=5),
    )

    def proposed(data: bytes) -> Any:
        where = reverse("detection:api-propose", args=[lake.slug])
        return hand.client.post(where, data, content_type="application/octet-stream").json()

    said = proposed(jpeg(serial=camera.serial))
    assert (said["deployment"], said["serial"]) == (newest.slug, camera.serial)
    assert proposed(jpeg(serial="unknown"))["deployment"] is None
    assert proposed(jpeg())["deployment"] is None
    assert proposed(b"no picture")["serial"] == ""


def test_another_lakes_deployment_cannot_be_chosen(hand: Hand) -> None:
    make_deployment(make_lake("other"), slug="other-lake")
    assert hand.open({"1.jpg": b""}, changed={"deployment": "other-lake"}).status_code == 400


def test_somebody_signed_out_hears_401_and_a_volunteer_403(hand: Hand) -> None:
    batch = hand.open({"1.jpg": b""}).json()["batch"]
    (pk,) = hand.announce(batch, {"1.jpg": b""})
    hand.client.logout()
    assert hand.put(batch, pk, b"").status_code == 401
    hand.client.force_login(person(Role.VOLUNTEER, Lake.objects.get()))
    assert hand.put(batch, pk, b"").status_code == 403
    assert hand.close(batch).status_code == 403


def test_a_request_from_another_site_is_refused(hand: Hand) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person(Role.RANGER, hand.deployment.lake))
    batch = hand.open({"1.jpg": b""}).json()["batch"]
    where = reverse("detection:api-close", args=[batch])
    assert strict.post(where, "{}", content_type="application/json").status_code == 403


def test_the_receipt_of_the_api_is_that_of_the_command(hand: Hand, tmp_path: Path) -> None:
    """One function makes both; what JSON can hold of it is equal."""
    from detection.cards.receipt import receipt

    result = hand.hand_over({"1.jpg": jpeg()})
    same = json.loads(json.dumps(receipt(Batch.objects.get()), default=str))
    assert result.keys() == same.keys()
    assert result["first_captured_at"] == "2025-07-26T13:00:00Z"
