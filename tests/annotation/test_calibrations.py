"""What scores are worth at a deployment: learnt, shown, and felt by no figure."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from annotation import calibrations, opinions, presenting, tasks
from annotation.models import Draft
from annotation.reviewing import StatedBox
from dashboards.attendance import attendance
from detection import calibrating
from detection.models import Calibration, Deployment, Detection, Frame, Run, TaughtFrame
from detection.runs import Box
from lacs_web.models import Role
from tests.annotation.test_checks import say
from tests.cast import person
from tests.factories import examine, make_deployment, make_detector, make_frame, make_lake

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
FIRST, LAST = date(2025, 7, 20), date(2025, 8, 10)
PLACES = [(left, 0.1, 0.1, 0.2) for left in (0.1, 0.4, 0.7)]


@pytest.fixture
def deployment() -> Deployment:
    """Thirty-two settled frames of three boxes each, the surer the oftener right; one is open."""
    made = make_deployment(make_lake())
    rng = np.random.default_rng(1)
    frames = [make_frame(made) for _ in range(33)]
    boxes = {
        each.pk: [Box("person", "person", round(float(rng.uniform(0.05, 0.95)), 3), *place)
                  for place in PLACES]
        for each in frames
    }  # fmt: skip
    examine(*frames, boxes=boxes)
    Run.objects.update(settings={"long_side": 640})
    ranger = person(Role.RANGER, made.lake)
    for each in frames[:32]:
        right = [box for box in boxes[each.pk] if rng.random() < box.score]
        say(each, ranger, [StatedBox("person", "", b.x, b.y, b.w, b.h) for b in right])
    return made


def test_it_is_learnt_once_shown_and_felt_by_nothing_else(
    deployment: Deployment, client: Client, django_assert_num_queries: Any
) -> None:
    late = Frame.objects.get(settled=None)

    def outside() -> list[Any]:
        """What must never notice: scores, what the machine is taken to say, figures."""
        machine = opinions.opinions([late])[late.pk].machine
        scores = list(Detection.objects.order_by("pk").values_list("pk", "score"))
        return [scores, machine, repr(attendance(deployment.lake, FIRST, LAST))]

    before = outside()
    with django_assert_num_queries(4):
        assert calibrations.owed() == [deployment]
    tasks.calibrate()
    assert calibrations.owed() == []
    tasks.calibrate()
    told = Calibration.objects.get()
    assert (told.frames, told.settled, told.detector) == (32, 32, make_detector())
    curve = told.curves["person"]
    assert (curve["kind"], curve["right"] + curve["wrong"]) == ("platt", 96)
    assert calibrating.share(curve, 0.5) == pytest.approx(0.5, abs=0.15)
    assert outside() == before

    draft = Draft.objects.create(
        frame=late, reviewer=person(Role.VOLUNTEER, deployment.lake), run=Run.objects.get()
    )
    shown = presenting.boxes_of([draft])[late.pk]
    stored = dict(late.detections.values_list("pk", "score"))
    assert shown
    for box in shown:
        assert stored[box["detection"]] >= 0.3
        worth = float(calibrating.share(curve, stored[box["detection"]]))
        assert box["score"] == round(worth, 3)

    client.force_login(person(Role.OFFICER, deployment.lake))
    client.cookies["django_language"] = "en"
    page = client.get(reverse("detection:deployment", args=["shore"])).content.decode()
    page = " ".join(page.split())
    assert "Learnt from 32 settled frames that Tiny had examined" in page
    assert "boxes count from a score of 0.30, here as everywhere" in page
    assert f"{100 * float(calibrating.share(curve, 0.9)):.0f} %" in page
    assert "manage.py train_detector lauvitel --register" in page  # nothing is in the shadow


def test_it_is_learnt_anew_when_more_is_settled_or_another_detector_is_at_work(
    deployment: Deployment,
) -> None:
    tasks.calibrate()
    ranger = person(Role.RANGER, deployment.lake)
    for each in [make_frame(deployment) for _ in range(6)]:
        examine(each)
        say(each, ranger)
    assert calibrations.owed() == []  # 38 of 32 is less than a fifth more
    say(Frame.objects.get(settled=None), ranger)
    assert calibrations.owed() == [deployment]
    tasks.calibrate()
    first = calibrations.of_runs([Run.objects.get().pk])
    assert first[Run.objects.get().pk] == Calibration.objects.first().curves  # type: ignore[union-attr]
    Run.objects.update(settings={"long_side": 1280})
    assert calibrations.of_runs([Run.objects.get().pk]) == {Run.objects.get().pk: {}}
    assert calibrations.owed() == [deployment]


def test_too_little_and_what_the_detector_learnt_from_give_no_curve(
    deployment: Deployment, client: Client
) -> None:
    taught = Frame.objects.filter(settled__isnull=False)[:27]
    TaughtFrame.objects.bulk_create(
        TaughtFrame(detector=make_detector(), frame=frame) for frame in taught
    )
    told = calibrations.learn(deployment)
    assert told is not None
    assert (told.frames, told.curves) == (5, {})
    assert calibrations.owed() == []
    client.force_login(person(Role.RANGER, deployment.lake))
    client.cookies["django_language"] = "en"
    page = client.get(reverse("detection:deployment", args=["shore"])).content.decode()
    assert "That was too few to tell: it takes 20 boxes that are right" in page
    bare = make_deployment(make_lake("bare"), slug="bare")
    assert calibrations.learn(bare) is None
    draft = Draft.objects.create(
        frame=Frame.objects.get(settled=None), reviewer=person(Role.VOLUNTEER, deployment.lake),
        run=Run.objects.get(),
    )  # fmt: skip
    for box in presenting.boxes_of([draft])[draft.frame_id]:
        assert box["score"] == Detection.objects.get(pk=box["detection"]).score
