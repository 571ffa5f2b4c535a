"""A detector in the shadow: run for real over settled frames, compared, promoted, taken back."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation import candidates
from annotation.reviewing import StatedBox
from dashboards.attendance import attendance
from detection import choosing, claims, shadowing, tasks
from detection.models import (
    Candidate,
    CandidateFrame,
    Deployment,
    Detection,
    Detector,
    Frame,
    Purge,
    Run,
    Suppression,
    TaughtFrame,
)
from detection.registering import register
from lacs_web.models import AuditEvent, Role
from tests.annotation.test_checks import say
from tests.cast import person
from tests.detection.test_runs import red_card
from tests.factories import examine, make_deployment, make_lake
from tests.onnx_models import tiny_yolox

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
FIRST, LAST = date(2025, 7, 20), date(2025, 8, 10)
RED = StatedBox("person", "", 0.3, 0.375, 0.1, 0.125)  # where red_card draws


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """Twelve frames, one every 20 hours, ten of them settled; the detector at work saw nothing."""
    made = make_deployment()
    red_card(tmp_path / "card", 12, seconds=20 * 3600)
    call_command("import_batch", str(tmp_path / "card"), deployment="shore", verbosity=0)
    frames = list(Frame.objects.order_by("captured_at"))
    examine(*frames)
    for each in frames[:10]:
        say(each, person(Role.RANGER, made.lake), [RED])
    register(path=tiny_yolox(tmp_path / "tiny.onnx"), name="New")
    return made


@pytest.fixture
def officer(client: Client, deployment: Deployment) -> Client:
    client.force_login(person(Role.OFFICER, deployment.lake))
    client.cookies["django_language"] = "en"
    return client


def start(deployment: Deployment) -> Candidate:
    return shadowing.start(
        deployment=deployment,
        detector=Detector.objects.get(name="New"),
        options=choosing.options(),
        frames=candidates.settled(deployment),
        user=None,
    )


@pytest.mark.parametrize("place", ["detector", "second_detector"])
def test_a_detector_is_not_judged_by_what_either_of_a_run_learnt_from(
    deployment: Deployment, place: str
) -> None:
    candidate = start(deployment)
    tasks.shadow(candidate.pk)
    candidate.refresh_from_db()
    assert candidates.hold(candidate, "person").contest.frames == 10
    learnt = Detector.objects.create(name="Learnt", sha256="e" * 64, layout="yolox")
    Run.objects.update(**{place: learnt})
    TaughtFrame.objects.bulk_create(
        TaughtFrame(detector=learnt, frame=frame)
        for frame in Frame.objects.order_by("captured_at")[:4]
    )
    assert candidates.hold(candidate, "person").contest.frames == 6


def decide(officer: Client, candidate: Candidate, decision: str) -> str:
    where = reverse("annotation:candidate-decide", args=[candidate.pk])
    answer = officer.post(where, {"decision": decision}, follow=True)
    return str(answer.content.decode())


def test_from_the_shadow_to_the_work_and_back(
    officer: Client, deployment: Deployment, django_assert_num_queries: Any
) -> None:
    def outside() -> list[Any]:
        """What must never notice: machine boxes, runs, suppression, figures."""
        counted = [model.objects.count() for model in (Detection, Run, Suppression)]
        return [counted, repr(attendance(deployment.lake, FIRST, LAST))]

    before = outside()
    fields = {
        "detector": Detector.objects.get(name="New").pk, "tiling": "none", "long_side": "640",
    }  # fmt: skip
    where = reverse("annotation:candidate-start", args=["shore"])
    answer = officer.post(where, fields)
    candidate = Candidate.objects.get()
    page = reverse("annotation:candidate", args=[candidate.pk])
    assert answer["Location"] == page
    told = officer.get(page).content.decode()
    assert "0 of 10 settled frames looked at" in told
    assert "hx-get" in told
    assert "Promote" not in told
    assert (
        "Decide on this candidate first"
        in officer.post(where, fields, follow=True).content.decode()
    )
    assert "Nothing was changed" in decide(officer, candidate, "promote")
    tasks.shadow(candidate.pk)
    candidate.refresh_from_db()
    assert candidate.finished_at is not None
    assert shadowing.progress(candidate) == {"total": 10, "done": 10, "failed": 0}
    assert outside() == before
    # session, person, candidate, progress, and 8 for the comparison
    with django_assert_num_queries(12):
        told = officer.get(
            reverse("annotation:candidate-state", args=[candidate.pk])
        ).content.decode()
    told = " ".join(told.split())
    assert "hx-get" not in told
    assert "The candidate is better than the detector at work" in told
    assert "Rests on 10 settled frames, camera days: 8." in told
    one, other = "0.00 (0.00 … 0.28)", "1.00 (0.72 … 1.00)"
    assert f'>{one}</span> <br>→&nbsp;<span class="text-nowrap">{other}<' in told
    assert "At work: Tiny." in told
    assert "Nothing was settled since" in decide(officer, candidate, "again")
    late = Frame.objects.filter(settled=None).order_by("captured_at")[0]
    say(late, person(Role.RANGER, deployment.lake), [RED])
    assert "10 of 11 settled frames looked at" in decide(officer, candidate, "again")
    tasks.shadow(candidate.pk)
    assert "It examines this deployment’s new cards" in decide(officer, candidate, "promote")
    deployment.refresh_from_db()
    assert (deployment.detector, deployment.detection) == (candidate.detector, candidate.settings)
    event = AuditEvent.objects.get(action="candidate promoted")
    assert event.detail["figures"]["frames"] == 11
    assert event.detail["figures"]["recall"] == [0, 1, 1, 1]
    trail = officer.get(reverse("trail", args=[deployment.lake.slug])).content.decode()
    assert "promoted a candidate detector" in trail
    assert "recall: 0.0, 1.0" in trail
    for other in ("reject", "again"):
        assert "Nothing was changed" in decide(officer, candidate, other)
    assert "The decision is taken back" in decide(officer, candidate, "undo")
    deployment.refresh_from_db()
    assert (deployment.detector, deployment.detection) == (None, None)
    decide(officer, candidate, "promote")
    Deployment.objects.update(detector=None, detection=None)  # somebody chose otherwise
    assert "Nothing was changed" in decide(officer, candidate, "undo")
    assert (
        officer.post(reverse("annotation:candidate-decide", args=[candidate.pk])).status_code == 400
    )
    shown = officer.get(reverse("detection:deployment", args=["shore"])).content.decode()
    assert page in shown
    assert "promoted" in shown


def test_a_killed_worker_costs_one_lease_and_poison_is_given_up(deployment: Deployment) -> None:
    candidate = start(deployment)
    late = timezone.now() - timedelta(seconds=1)
    token, held = claims.claim(shadowing.owed(candidate), 4)  # a worker that dies now
    assert len(held) == 4
    CandidateFrame.objects.filter(claim=token).update(lease_until=late)
    assert shadowing.examine(candidate, limit=50) == 6  # what was never tried goes first
    assert shadowing.examine(candidate, limit=50) == 1  # what failed once, by itself
    assert not shadowing.finish_if_done(candidate)
    CandidateFrame.objects.filter(pk=held[-1].pk).update(attempts=settings.MAX_ATTEMPTS)
    tasks.sweep()
    tasks.shadow(candidate.pk)
    tasks.shadow(candidate.pk)
    candidate.refresh_from_db()
    assert candidate.finished_at is not None
    assert shadowing.progress(candidate) == {"total": 10, "done": 9, "failed": 1}


def test_a_lost_claim_writes_nothing_and_what_left_is_not_owed(deployment: Deployment) -> None:
    candidate = start(deployment)
    purged, dateless, *_ = Frame.objects.order_by("captured_at")
    Purge.objects.create(frame=purged, rule={"days": 1})
    Frame.objects.filter(pk=dateless.pk).update(quarantine="no_date", captured_at=None)
    assert shadowing.owed(candidate).count() == 8
    assert shadowing.examine(candidate, limit=50) == 8
    assert shadowing.finish_if_done(candidate)
    assert candidates.hold(candidate, "person").contest.frames == 8
    assert candidates.hold(candidate, "tent").contest.rows[0].truth == 0


def test_a_rejected_candidate_stops_and_changes_nothing(
    officer: Client, deployment: Deployment
) -> None:
    candidate = start(deployment)
    assert "The candidate is rejected" in decide(officer, candidate, "reject")
    tasks.shadow(candidate.pk)
    assert shadowing.progress(candidate)["done"] == 0
    deployment.refresh_from_db()
    assert deployment.detector is None
    assert start(deployment).pk != candidate.pk
    assert "Nothing was changed" in decide(officer, candidate, "undo")  # another is undecided


def test_empty_states_say_what_to_do(officer: Client, deployment: Deployment) -> None:
    bare = make_deployment(make_lake("empty"), slug="bare")
    client = Client()
    client.force_login(person(Role.OFFICER, bare.lake))
    client.cookies["django_language"] = "en"
    fields = {
        "detector": Detector.objects.get(name="New").pk, "tiling": "none", "long_side": "640",
    }  # fmt: skip
    where = reverse("annotation:candidate-start", args=["bare"])
    told = client.post(where, fields, follow=True).content.decode()
    assert "No frame of this deployment is settled yet" in told
    candidate = start(deployment)
    tasks.shadow(candidate.pk)
    Frame.objects.update(deployment=bare)  # the card belonged elsewhere
    told = officer.get(reverse("annotation:candidate", args=[candidate.pk])).content.decode()
    assert "Nothing to compare yet" in told
    assert "Start a run over" in told


def test_at_every_camera_of_the_lake_each_has_its_row(
    officer: Client, deployment: Deployment
) -> None:
    other = make_deployment(deployment.lake, slug="col", viewpoint="The pass")
    make_deployment(deployment.lake, slug="bare")
    frames = Frame.objects.order_by("captured_at")
    Frame.objects.filter(pk__in=[each.pk for each in frames[6:]]).update(deployment=other)
    fields = {
        "detector": Detector.objects.get(name="New").pk, "tiling": "none", "long_side": "640",
        "where": "lake",
    }  # fmt: skip
    where = reverse("annotation:candidate-start", args=["shore"])
    told = officer.post(where, fields, follow=True).content.decode()
    assert "In the shadow at 2 cameras." in told
    assert "0 of 6 settled frames looked at" in told
    for each in Candidate.objects.all():
        tasks.shadow(each.pk)
    own = Candidate.objects.get(deployment=deployment)
    contest = candidates.hold(own, "person").contest
    assert (contest.frames, [row.frames for row in contest.rows]) == (6, [6, 6, 6, 6, 6, 4])
    assert contest.rows[-1].recall.new.at == 1
    shown = officer.get(reverse("annotation:candidate", args=[own.pk])).content.decode()
    assert "The pass" in shown
    assert (
        "Decide on this candidate first"
        in officer.post(where, fields, follow=True).content.decode()
    )
