"""The doctor: each thing is broken on purpose, found, explained, and mended where it can be."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.utils import timezone

from annotation.models import SettledFrame
from dashboards.attendance import attendance
from detection import tasks
from detection.cards import vault
from detection.doctor import FOUND
from detection.models import (
    Batch,
    Candidate,
    CandidateFrame,
    CardFile,
    Detector,
    Frame,
    Run,
    RunFrame,
)
from tests.dashboards.survey import FIRST, LAST, make_survey

pytestmark = pytest.mark.django_db
LONG_AGO = timezone.now() - timedelta(days=2)
State = CardFile.State


@pytest.fixture
def whole() -> None:
    """A survey in which everything fits together, one of its frames with its original."""
    make_survey()
    detector = Detector.objects.get()
    default_storage.save(detector.storage_name, open(os.devnull, "rb"))  # noqa: SIM115, PTH123
    picture = np.full((120, 160, 3), 120, np.uint8)
    sha256, size = vault.put([simplejpeg.encode_jpeg(picture, colorspace="RGB")])
    frame = Frame.objects.order_by("pk")[0]
    vault.put_preview(sha256, vault.preview(frame.sha256))
    default_storage.delete(vault.preview_name(frame.sha256))
    Frame.objects.filter(pk=frame.pk).update(sha256=sha256)
    CardFile.objects.create(
        batch=frame.batch, path=frame.path, size=size, sha256=sha256, state=State.NEW, frame=frame
    )
    examine_all()
    assert doctor() == "Everything fits together.\n"


def examine_all() -> None:
    """A row of the run for every frame, as for a card that was examined whole."""
    run = Run.objects.get()
    for frame in Frame.objects.exclude(run_frames__run=run):
        RunFrame.objects.create(run=run, frame=frame, state="failed")


def doctor(*options: str) -> str:
    """What the command prints; what it complains of at the end as well."""
    out = io.StringIO()
    try:
        call_command("doctor", *options, stdout=out)
    except CommandError as left:
        out.write(f"{left}\n")
    return out.getvalue()


def file(**fields: Any) -> CardFile:
    values = {"batch": Batch.objects.get(), "path": "x.jpg", "size": 1, "sha256": "a" * 64}
    return CardFile.objects.create(**{**values, **fields})


def break_preview() -> None:
    default_storage.delete(vault.preview_name(CardFile.objects.get().sha256))


def break_by_stray_bytes() -> None:
    sha256, _ = vault.put([b"nobody's"])
    vault.put_preview(sha256, b"nobody's either")
    for name in (vault.original_name(sha256), vault.preview_name(sha256)):
        os.utime(default_storage.path(name), (LONG_AGO.timestamp(),) * 2)


def break_stored_original() -> None:
    file(state=State.STORED)


def break_claim() -> None:
    row = RunFrame.objects.all()[0]
    Run.objects.update(finished_at=None)
    RunFrame.objects.filter(pk=row.pk).update(state="pending", lease_until=LONG_AGO)
    run_frames = RunFrame.objects.filter(pk=row.pk)
    run_frames.update(claim="12345678123456781234567812345678", attempts=1)


def break_claim_of_a_candidate() -> None:
    frame = RunFrame.objects.all()[0].frame
    candidate = Candidate.objects.create(
        deployment=frame.deployment, detector=Run.objects.all()[0].detector
    )
    CandidateFrame.objects.create(
        candidate=candidate, frame=frame, claim="1" * 32, attempts=1, lease_until=LONG_AGO
    )


def break_outcome() -> None:
    CardFile.objects.update(frame=None)


def break_receipt() -> None:
    CardFile.objects.update(state=State.QUARANTINED, reason="x")


def break_run() -> None:
    RunFrame.objects.filter(state="failed")[0].delete()


def break_settled() -> None:
    SettledFrame.objects.filter(readable=False).update(readable=True)


def break_settled_away() -> None:
    SettledFrame.objects.all()[0].delete()


BROKEN: dict[Callable[[], None], str] = {
    break_preview: "1 frames without a preview: frame",
    break_by_stray_bytes: "2 files in the storage that no row speaks of: originals/",
    break_stored_original: "1 files whose bytes are gone: x.jpg of card",
    break_claim: "1 claims that lapsed long ago: RunFrame",
    break_claim_of_a_candidate: "1 claims that lapsed long ago: CandidateFrame",
    break_outcome: "1 files that were read and have no frame: DCIM/",
    break_receipt: "1 receipts out of step with their frames: DCIM/",
    break_run: "frames that no run will examine: frame",
    break_settled: "1 settled frames out of step with their reviews: frame",
    break_settled_away: "1 settled frames out of step with their reviews: frame",
}


@pytest.mark.usefixtures("whole")
@pytest.mark.parametrize("harm", BROKEN, ids=lambda harm: harm.__name__)
def test_what_is_broken_is_found_and_mended(harm: Callable[[], None]) -> None:
    lake = Frame.objects.all()[0].deployment.lake
    before = attendance(lake, FIRST, LAST)
    harm()
    said = doctor()
    assert BROKEN[harm] in said
    assert "Mended" not in said
    assert doctor() == said  # looking changes nothing
    assert "Mended:" in doctor("--mend")
    assert doctor() == "Everything fits together.\n"
    if harm is not break_claim:  # whose frame is to be examined again
        assert attendance(lake, FIRST, LAST) == before


@pytest.mark.usefixtures("whole")
def test_what_only_a_backup_or_a_person_can_give_back_is_still_said() -> None:
    default_storage.delete(vault.original_name(CardFile.objects.get().sha256))
    default_storage.delete(Detector.objects.get().storage_name)
    said = doctor("--mend")
    assert "1 files whose bytes are gone" in said
    assert "manage.py restore" in said
    assert "1 detectors without their file: Tiny" in said
    assert "2 things do not fit together, still." in said


@pytest.mark.usefixtures("whole")
def test_originals_of_nobody_are_moved_and_never_deleted() -> None:
    break_by_stray_bytes()
    doctor("--mend")
    (kept,) = (Path(settings.MEDIA_ROOT) / FOUND).iterdir()
    assert kept.read_bytes() == b"nobody's"


@pytest.mark.usefixtures("whole")
def test_an_upload_that_goes_on_is_left_alone() -> None:
    vault.put([b"just coming in"])
    assert doctor() == "Everything fits together.\n"


@pytest.mark.usefixtures("whole")
def test_the_last_file_of_a_card_that_stops_the_program_is_given_up_by_the_sweep() -> None:
    """Nobody rings for it any more: it has no attempts left."""
    sha256, size = vault.put([b"poison"])
    poison = file(
        state=State.STORED, attempts=settings.MAX_ATTEMPTS, lease_until=LONG_AGO,
        sha256=sha256, size=size,
    )  # fmt: skip
    tasks.sweep()
    poison.refresh_from_db()
    assert poison.state == State.UNREADABLE
