"""Clocks are corrected, frames find their deployment, and all of it can be taken back."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from detection import weighing
from detection.cards import clock, exif, timing
from detection.cards.fitting import Fitting
from detection.cards.receipt import receipt
from detection.cards.redate import redate
from detection.cards.schedule import Schedule
from detection.models import Batch, CardFile, ClockCorrection, Deployment, Frame, Retention, Run
from lacs_web.models import AuditEvent, Membership, Role, User
from tests.cast import person
from tests.detection.cards.pictures import jpeg
from tests.factories import make_deployment, make_detector, make_frame, make_lake

NOON = datetime(2025, 7, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def ranger() -> User:
    return User.objects.create_user("ranger@example.org")


def clocks(deployment: Deployment, *readings: datetime) -> list[Frame]:
    return [make_frame(deployment, clock_at=each, captured_at=each - HOUR) for each in readings]


def instants() -> list[datetime | None]:
    return list(Frame.objects.order_by("pk").values_list("captured_at", flat=True))


def test_one_anchor_is_an_offset_and_two_are_a_drift() -> None:
    day = timedelta(days=1)
    assert clock.corrected(NOON + day, [(NOON, NOON + HOUR)]) == NOON + day + HOUR
    drift = [(NOON, NOON), (NOON + 10 * day, NOON + 10 * day + HOUR)]
    assert clock.corrected(NOON + 5 * day, drift) == NOON + 5 * day + HOUR / 2
    assert clock.corrected(NOON + 20 * day, drift) == NOON + 20 * day + 2 * HOUR
    assert clock.corrected(NOON - 10 * day, drift) == NOON - 10 * day - HOUR


def test_a_correction_dates_all_frames_and_is_undone(ranger: User) -> None:
    deployment = make_deployment()
    clocks(deployment, NOON, NOON + HOUR)
    before, batch = instants(), Batch.objects.get()
    anchors = [(NOON, NOON + 5 * HOUR)]
    timing.correct(deployment=deployment, batch=batch, anchors=anchors, user=ranger)
    assert instants() == [NOON + 5 * HOUR, NOON + 6 * HOUR]
    assert set(Frame.objects.values_list("clock_at", flat=True)) == {NOON, NOON + HOUR}
    made = ClockCorrection.objects.get()
    timing.undo(correction=made, user=ranger)
    timing.undo(correction=made, user=ranger)
    assert instants() == before
    actions = AuditEvent.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["clock corrected", "clock correction undone"]


def test_the_database_dates_as_python_does(ranger: User) -> None:
    """One rule in two languages: both are asked about the same frames."""
    deployment = make_deployment(clock_correction_seconds=7)
    drift = [(NOON, NOON + HOUR), (NOON + 300 * HOUR, NOON + 301.37 * HOUR)]
    for n in range(40):
        clocks(deployment, NOON + n * timedelta(hours=17, seconds=0.13))
    batch = Batch.objects.get()
    for anchors in ([], drift[:1], drift):
        if anchors:
            timing.correct(deployment=deployment, batch=None, anchors=anchors, user=ranger)
        redate(deployment)
        fitting = Fitting(batch)
        for frame in Frame.objects.all():
            said = exif.Exif(frame.clock_at, None, "", "", "", {})
            fit = fitting.fit(said)
            assert fit.instant is not None
            assert frame.captured_at is not None
            assert abs(fit.instant - frame.captured_at) <= timedelta(microseconds=2)


def test_the_latest_correction_counts_and_a_cards_own_before_its_deployments(ranger: User) -> None:
    deployment = make_deployment()
    clocks(deployment, NOON)
    batch = Batch.objects.get()

    def at(hours: int, of: Batch | None) -> None:
        shift = [(NOON, NOON + hours * HOUR)]
        timing.correct(deployment=deployment, batch=of, anchors=shift, user=ranger)

    at(1, None)
    at(2, None)
    assert instants() == [NOON + 2 * HOUR]
    at(3, batch)
    at(4, None)
    assert instants() == [NOON + 3 * HOUR]
    timing.undo(correction=ClockCorrection.objects.get(batch=batch), user=ranger)
    assert instants() == [NOON + 4 * HOUR]


def test_new_pictures_of_a_corrected_deployment_are_dated_alike(ranger: User) -> None:
    deployment = make_deployment()
    clocks(deployment, NOON)
    timing.correct(
        deployment=deployment, batch=None, anchors=[(NOON, NOON + 5 * HOUR)], user=ranger
    )
    fit = Fitting(Batch.objects.create(deployment=deployment)).fit(exif.read(jpeg()))
    assert fit.instant == datetime(2025, 7, 26, 19, tzinfo=UTC)


def test_a_clock_that_was_never_set_is_set_later(ranger: User) -> None:
    deployment = make_deployment()
    reset = datetime(2000, 1, 1, tzinfo=UTC)
    for n in range(3):
        make_frame(deployment, clock_at=reset + n * HOUR, captured_at=NOON)
    CardFile.objects.bulk_create(
        CardFile(
            batch=frame.batch, path=frame.path, size=1, sha256=frame.sha256, frame=frame,
            state="new",
        )
        for frame in Frame.objects.all()
    )  # fmt: skip
    redate(deployment)
    batch = Batch.objects.get()
    assert receipt(batch)["quarantined"] == 3
    counted = timing.correct(
        deployment=deployment, batch=batch, anchors=[(reset + HOUR, NOON)], user=ranger
    )
    assert counted == {"frames": 3, "quarantined": 0}
    assert instants() == [NOON - HOUR, NOON, NOON + HOUR]
    assert (receipt(batch)["new"], receipt(batch)["quarantined"]) == (3, 0)


def test_anchors_out_of_order_are_refused(ranger: User) -> None:
    deployment = make_deployment()
    wrong = [(NOON, NOON), (NOON - HOUR, NOON + HOUR)]
    with pytest.raises(IntegrityError), transaction.atomic():
        timing.correct(deployment=deployment, batch=None, anchors=wrong, user=ranger)


# --- summer time --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "night", [datetime(2025, 3, 30, tzinfo=UTC), datetime(2025, 10, 26, tzinfo=UTC)]
)
def test_the_nights_of_summer_time_are_nights_like_any_other(night: datetime) -> None:
    """A camera on winter time takes a frame each hour; no instant twice, none missing."""
    deployment = make_deployment()
    fitting = Fitting(Batch.objects.create(deployment=deployment))
    taken = [f"{night:%Y:%m:%d} {hour:02}:30:00" for hour in range(6)]
    found = [fitting.fit(exif.read(jpeg(taken=one))).instant for one in taken]
    steps = {b - a for a, b in pairwise(found) if a and b}
    assert steps == {HOUR}
    local = [one.astimezone(deployment.lake.zone).hour for one in found if one]
    assert len(local) == 6
    assert local != sorted(set(range(6)))  # people's clocks jump or repeat


# --- spanning deployments -----------------------------------------------------------------------


def two_deployments() -> tuple[Deployment, Deployment]:
    early = make_deployment(ends_at=NOON)
    late = Deployment.objects.create(
        lake=early.lake,
        camera=early.camera,
        slug="late",
        viewpoint="Late",
        starts_at=NOON + timedelta(seconds=1),
        clock_offset_minutes=0,
    )
    return early, late


def test_a_card_that_spans_two_deployments_is_dealt_out() -> None:
    early, late = two_deployments()
    fitting = Fitting(Batch.objects.create(deployment=early))
    first = fitting.fit(exif.read(jpeg(taken="2025:07:01 10:00:00")))
    second = fitting.fit(exif.read(jpeg(taken="2025:07:05 10:00:00")))
    assert (first.deployment, first.instant) == (early, NOON - 3 * HOUR)
    # By the clock of the deployment that it went to.
    assert (second.deployment, second.instant) == (late, datetime(2025, 7, 5, 10, tzinfo=UTC))


def test_changing_a_period_deals_the_frames_out_again() -> None:
    early, late = two_deployments()
    Deployment.objects.update(clock_offset_minutes=60)
    frames = clocks(early, NOON - 5 * HOUR, NOON - 3 * HOUR)
    early.refresh_from_db()
    early.ends_at = NOON - 5 * HOUR
    early.save()
    late.refresh_from_db()
    late.starts_at = NOON - 5 * HOUR + timedelta(seconds=1)
    late.save()
    redate(early)
    placed = dict(Frame.objects.values_list("pk", "deployment__slug"))
    assert placed == {frames[0].pk: early.slug, frames[1].pk: late.slug}
    early.ends_at, late.starts_at = NOON, NOON + timedelta(seconds=1)
    late.save()
    early.save()
    redate(late)
    assert set(Frame.objects.values_list("deployment__slug", flat=True)) == {early.slug}
    assert not Frame.objects.exclude(quarantine="").exists()


def test_another_cameras_pictures_go_to_it_or_to_quarantine() -> None:
    deployment = make_deployment()
    neighbour = make_deployment(deployment.lake, "neighbour")
    elsewhere = make_deployment(make_lake("other"), "elsewhere")
    fitting = Fitting(Batch.objects.create(deployment=deployment))

    def fit(serial: str) -> tuple[Deployment, str]:
        found = fitting.fit(exif.read(jpeg(serial=serial)))
        return found.deployment, found.doubt

    assert fit(neighbour.camera.serial) == (neighbour, "")
    assert fit(elsewhere.camera.serial) == (deployment, "camera")  # another lake: only proposed
    assert fit("never heard of") == (deployment, "")
    assert fit("") == (deployment, "")


def test_frames_in_quarantine_move_where_somebody_says(ranger: User) -> None:
    deployment = make_deployment()
    elsewhere = make_deployment(make_lake("other"), "elsewhere")
    astray = make_frame(
        deployment,
        clock_at=NOON,
        captured_at=None,
        quarantine="camera",
        exif={"BodySerialNumber": elsewhere.camera.serial},
    )
    batch = Batch.objects.get()
    assert timing.proposals(batch) == [elsewhere]
    assert timing.move(batch=batch, deployment=elsewhere, user=ranger) == 1
    astray.refresh_from_db()
    assert (astray.deployment, astray.captured_at) == (elsewhere, NOON - HOUR)
    assert timing.proposals(batch) == []


def test_what_does_not_fit_stays_where_it_was(ranger: User) -> None:
    deployment = make_deployment(ends_at=NOON - 9 * HOUR)
    later = Deployment.objects.create(
        lake=make_lake("other"),
        camera=deployment.camera,
        slug="later",
        viewpoint="Later",
        starts_at=NOON + 9 * HOUR,
    )
    astray = make_frame(deployment, clock_at=NOON, captured_at=None, quarantine="outside")
    batch = Batch.objects.get()
    assert timing.proposals(batch) == [later]
    assert timing.move(batch=batch, deployment=later, user=ranger) == 0
    astray.refresh_from_db()
    assert (astray.deployment, astray.quarantine) == (deployment, "outside")


# --- schedule, split ----------------------------------------------------------------------------


def test_a_schedule_is_adopted(ranger: User) -> None:
    deployment = make_deployment()
    timing.adopt_schedule(
        deployment=deployment, found=Schedule(900, time(5), time(21)), user=ranger
    )
    deployment.refresh_from_db()
    assert (deployment.interval_seconds, deployment.window_start) == (900, time(5))
    assert AuditEvent.objects.get().detail["before"]["interval_seconds"] == "300"


def test_a_knocked_camera_splits_its_deployment(ranger: User) -> None:
    deployment = make_deployment(slug="shore")
    _, second, third = clocks(deployment, NOON, NOON + HOUR, NOON + 2 * HOUR)
    new = timing.split(frame=second, user=ranger)
    assert (new.slug, new.starts_at) == ("shore-2", second.captured_at)
    placed = Frame.objects.order_by("pk").values_list("deployment__slug", flat=True)
    assert list(placed) == ["shore", "shore-2", "shore-2"]
    assert third.captured_at in instants()


# --- pages --------------------------------------------------------------------------------------


def signed_in(role: Role, deployment: Deployment) -> Client:
    client = Client()
    client.force_login(person(role, deployment.lake))
    return client


@pytest.fixture
def frame() -> Frame:
    deployment = make_deployment()
    return clocks(deployment, NOON, NOON + HOUR)[0]


def form(**changed: str) -> dict[str, str]:
    return {
        "clock_1": "2025-07-01T12:00:00",
        "true_1": "2025-07-01T19:00:00",
        "clock_2": "",
        "true_2": "",
        "scope": "card",
    } | changed


def test_a_ranger_corrects_a_card_in_local_time_and_takes_it_back(frame: Frame) -> None:
    client = signed_in(Role.RANGER, frame.deployment)
    where = reverse("detection:clock", args=[frame.batch_id])
    assert "2025-07-01T12:00:00" in client.get(where).content.decode()  # as the clock said
    assert client.post(where, form()).status_code == 302
    frame.refresh_from_db()
    assert frame.captured_at == datetime(2025, 7, 1, 17, tzinfo=UTC)  # 19:00 in France
    undo = reverse("detection:correction-undo", args=[ClockCorrection.objects.get().pk])
    assert undo in client.get(where).content.decode()
    client.post(undo)
    frame.refresh_from_db()
    assert frame.captured_at == NOON - HOUR


@pytest.mark.parametrize(
    "wrong",
    [
        {"clock_1": "yesterday"},
        {"clock_2": "2025-07-02T12:00:00"},
        {"clock_2": "2025-06-01T12:00:00", "true_2": "2025-06-01T12:00:00"},
        {"clock_2": "2025-07-02T12:00:00", "true_2": "2025-07-09T12:00:00"},
        {"true_1": "0001-01-01T00:00:00"},
        {"true_1": "9999-12-31T23:59:59"},
        {"clock_1": "0001-01-01T00:00:00"},
        {"clock_1": "9999-12-31T23:59:59"},
        {"true_1": "2025-10-26T02:30:00"},  # comes twice that night
        {"scope": "everything"},
    ],
)
def test_a_correction_that_cannot_be_is_refused_in_words(
    frame: Frame, wrong: dict[str, str]
) -> None:
    where = reverse("detection:clock", args=[frame.batch_id])
    answer = signed_in(Role.RANGER, frame.deployment).post(where, form(**wrong))
    assert answer.status_code == 400
    assert answer.context["form"].errors
    assert not ClockCorrection.objects.exists()


@pytest.mark.parametrize("reading", ["2025-03-30T02:30:00", "2025-10-26T02:30:00"])
def test_a_clock_on_winter_time_reads_so_also_when_people_change_theirs(reading: str) -> None:
    """What the form shows is what it takes; and it can be taken back."""
    stood = datetime.fromisoformat(reading).replace(tzinfo=UTC)
    (frame,) = clocks(make_deployment(), stood)
    client = signed_in(Role.RANGER, frame.deployment)
    where = reverse("detection:clock", args=[frame.batch_id])
    shown = client.get(where).context["form"]["clock_1"].value()
    assert f"{shown:%Y-%m-%dT%H:%M:%S}" == reading
    given = {"clock_1": reading, "true_1": f"{reading[:10]}T12:00:00"}
    assert client.post(where, form(**given)).status_code == 302
    frame.refresh_from_db()
    assert frame.captured_at is not None
    assert frame.captured_at.astimezone(frame.deployment.lake.zone).hour == 12
    made = ClockCorrection.objects.get()
    assert made.clock_1 == stood
    client.post(reverse("detection:correction-undo", args=[made.pk]))
    frame.refresh_from_db()
    assert frame.captured_at == stood - HOUR


@pytest.mark.parametrize(
    ("taken", "doubt"),
    [("0001:01:01 00:00:00", "absurd"), ("9999:12:31 23:59:59", "future")],
)
def test_a_clock_at_the_end_of_the_calendar_is_only_wrong(
    taken: str, doubt: str, ranger: User
) -> None:
    deployment = make_deployment(clock_offset_minutes=60 if doubt == "absurd" else -60)
    batch = Batch.objects.create(deployment=deployment)
    said = exif.read(jpeg(taken=taken))
    fit = Fitting(batch).fit(said)
    assert (fit.instant, fit.doubt) == (None, doubt)
    frame = make_frame(deployment, clock_at=said.clock_at, captured_at=None, quarantine=doubt)
    shift = [(NOON, NOON + HOUR * (-1 if doubt == "absurd" else 1))]
    timing.correct(deployment=deployment, batch=batch, anchors=shift, user=ranger)
    assert Fitting(batch).fit(said).doubt == doubt
    frame.refresh_from_db()
    assert (frame.captured_at, frame.quarantine) == (None, doubt)
    client = signed_in(Role.RANGER, deployment)
    for page in ("detection:clock", "detection:quarantine-card", "detection:batch"):
        assert client.get(reverse(page, args=[batch.pk])).status_code == 200


def moved_card(ranger: User) -> tuple[Frame, Deployment]:
    """A frame of a card that was moved to the deployment of another camera, at another lake."""
    deployment = make_deployment()
    elsewhere = make_deployment(make_lake("other"), "elsewhere")
    astray = make_frame(
        deployment, clock_at=NOON, captured_at=None, quarantine="camera",
        exif={"BodySerialNumber": elsewhere.camera.serial},
    )  # fmt: skip
    timing.move(batch=astray.batch, deployment=elsewhere, user=ranger)
    astray.refresh_from_db()
    assert astray.deployment == elsewhere
    return astray, deployment


def test_the_clock_of_a_card_is_corrected_wherever_its_frames_are(ranger: User) -> None:
    frame, deployment = moved_card(ranger)
    before = frame.captured_at
    shift = [(NOON, NOON + 3 * HOUR)]
    counted = timing.correct(deployment=deployment, batch=frame.batch, anchors=shift, user=ranger)
    assert counted == {"frames": 1, "quarantined": 0}
    frame.refresh_from_db()
    assert frame.captured_at == NOON + 3 * HOUR
    undone = timing.undo(correction=ClockCorrection.objects.get(), user=ranger)
    assert undone == counted
    frame.refresh_from_db()
    assert frame.captured_at == before


def test_nobody_dates_frames_at_a_lake_where_they_hand_over_no_cards(ranger: User) -> None:
    frame, deployment = moved_card(ranger)
    here = signed_in(Role.RANGER, deployment)
    where = reverse("detection:clock", args=[frame.batch_id])
    assert here.post(where, form()).status_code == 403
    timing.correct(deployment=deployment, batch=frame.batch, anchors=[(NOON, NOON)], user=ranger)
    undo = reverse("detection:correction-undo", args=[ClockCorrection.objects.get().pk])
    assert here.post(undo).status_code == 403
    Membership.objects.create(
        user=User.objects.get(pk=here.session["_auth_user_id"]),
        lake=frame.deployment.lake, role=Role.RANGER,
    )  # fmt: skip
    assert here.post(undo).status_code == 302


# --- a card for the wrong deployment ------------------------------------------------------------


@pytest.fixture
def handed() -> tuple[Batch, Deployment, Client]:
    """A closed card of a camera that names no serial, another lake, and a ranger of both."""
    deployment = make_deployment(clock_offset_minutes=60)
    right = make_deployment(make_lake("other"), "right", clock_offset_minutes=120)
    for frame in clocks(deployment, NOON, NOON + HOUR):
        CardFile.objects.create(
            batch=frame.batch, path=frame.path, size=1, sha256=frame.sha256, frame=frame,
            state="new",
        )  # fmt: skip
    Batch.objects.update(closed_at=NOON)
    client = signed_in(Role.RANGER, deployment)
    user = User.objects.get(pk=client.session["_auth_user_id"])
    Membership.objects.create(user=user, lake=right.lake, role=Role.RANGER)
    return Batch.objects.get(), right, client


def test_a_card_of_the_wrong_lake_is_moved_and_moved_back(
    handed: tuple[Batch, Deployment, Client],
) -> None:
    batch, right, client = handed
    wrong, before = batch.deployment, instants()
    shift = [(NOON, NOON)]
    timing.correct(deployment=wrong, batch=batch, anchors=shift, user=User.objects.get())
    run = Run.objects.create(
        batch=batch, detector=make_detector(), software="test", finished_at=NOON
    )
    left, joined = (
        Run.objects.create(
            batch=Batch.objects.create(deployment=each, closed_at=NOON),
            detector=make_detector(), software="test", finished_at=NOON,
        )
        for each in (wrong, right)
    )  # fmt: skip
    where = reverse("detection:card-move", args=[batch.pk])
    assert where in client.get(reverse("detection:batch", args=[batch.pk])).content.decode()
    assert right.slug in client.get(where).content.decode()
    assert client.post(where, {"deployment": right.slug}).status_code == 302
    batch.refresh_from_db()
    assert batch.deployment == right
    assert set(Frame.objects.values_list("deployment", flat=True)) == {right.pk}
    assert instants() == [NOON, NOON + HOUR]  # the card's own correction went along
    # For the zones of the right place; and what it says of repeats left one place for another.
    assert set(weighing.owed()) == {run, left, joined}
    timing.undo(correction=ClockCorrection.objects.get(), user=User.objects.get())
    assert instants() == [NOON - 2 * HOUR, NOON - HOUR]  # by the clock of the right camera
    events = AuditEvent.objects.filter(action="card moved")
    assert {event.lake for event in events} == {wrong.lake, right.lake}
    page = client.get(where)
    assert page.context["back"] == wrong
    role = Membership.objects.filter(lake=wrong.lake)
    role.update(role=Role.PARTNER)  # reads no cards there
    assert str(wrong.lake) not in client.get(where).content.decode()
    role.update(role=Role.RANGER)
    client.post(where, {"deployment": page.context["back"].slug})
    batch.refresh_from_db()
    assert (batch.deployment, instants()) == (wrong, before)
    assert receipt(batch)["complete"]


def test_frames_that_do_not_fit_there_are_quarantined_until_it_is_moved_back(
    handed: tuple[Batch, Deployment, Client], ranger: User
) -> None:
    batch, right, _ = handed
    wrong, before = batch.deployment, instants()
    Deployment.objects.filter(pk=right.pk).update(ends_at=NOON - 90 * timedelta(minutes=1))
    right.refresh_from_db()
    assert timing.hand_to(batch=batch, deployment=right, user=ranger) == 1
    assert receipt(Batch.objects.get())["quarantined"] == 1
    assert timing.hand_to(batch=Batch.objects.get(), deployment=wrong, user=ranger) == 2
    assert instants() == before


def test_nothing_leaves_a_lake_where_a_hold_stands(
    handed: tuple[Batch, Deployment, Client],
) -> None:
    """Elsewhere another rule would purge it."""
    batch, right, client = handed
    Retention.objects.create(lake=batch.deployment.lake, hold="asked by the court")
    before = Frame.objects.values_list("deployment", flat=True)[0]
    answer = client.post(
        reverse("detection:card-move", args=[batch.pk]), {"deployment": right.slug}, follow=True
    )
    assert len(answer.context["messages"]) == 1
    batch.refresh_from_db()
    assert batch.deployment_id == before
    with pytest.raises(timing.Held):
        timing.move(batch=batch, deployment=right, user=User.objects.get())
    third = make_deployment(make_lake("third"), "third")
    Retention.objects.update(lake=third.lake)  # where some of its frames lie
    astray = Frame.objects.filter(pk=Frame.objects.earliest("pk").pk)
    astray.update(deployment=third, captured_at=None, quarantine="outside")
    with pytest.raises(timing.Held):
        timing.move(batch=batch, deployment=right, user=User.objects.get())
    Retention.objects.update(hold="")
    client.post(reverse("detection:card-move", args=[batch.pk]), {"deployment": right.slug})
    batch.refresh_from_db()
    assert batch.deployment == right


def test_a_card_is_not_moved_where_one_may_not_nor_while_it_is_read(
    handed: tuple[Batch, Deployment, Client],
) -> None:
    batch, right, client = handed
    where = reverse("detection:card-move", args=[batch.pk])
    for slug in ("", "nowhere", batch.deployment.slug):
        client.post(where, {"deployment": slug})
    foreign = make_deployment(make_lake("cornu", park="asters"), "foreign")
    user = User.objects.get(pk=client.session["_auth_user_id"])
    Membership.objects.create(user=user, lake=foreign.lake, role=Role.RANGER)
    client.post(where, {"deployment": foreign.slug})  # a park's pictures stay its own
    CardFile.objects.filter(path=CardFile.objects.earliest("pk").path).update(state="stored")
    client.post(where, {"deployment": right.slug})
    CardFile.objects.update(state="new")
    Membership.objects.filter(lake=right.lake).update(role=Role.VOLUNTEER)
    client.post(where, {"deployment": right.slug})
    batch.refresh_from_db()
    assert batch.deployment.slug == "shore"
    assert not AuditEvent.objects.filter(action="card moved").exists()


def test_only_who_manages_corrects_a_whole_deployment(frame: Frame) -> None:
    where = reverse("detection:clock", args=[frame.batch_id])
    everything = form(scope="deployment")
    assert signed_in(Role.RANGER, frame.deployment).post(where, everything).status_code == 403
    assert signed_in(Role.OFFICER, frame.deployment).post(where, everything).status_code == 302
    undo = reverse("detection:correction-undo", args=[ClockCorrection.objects.get().pk])
    assert signed_in(Role.RANGER, frame.deployment).post(undo).status_code == 403


def test_the_stamp_is_a_strip_without_exif_for_those_who_may_unmask(frame: Frame) -> None:
    where = reverse("detection:stamp", args=[frame.pk])
    answer = signed_in(Role.RANGER, frame.deployment).get(where)
    assert answer.status_code == 200
    found = exif.read(answer.content)
    assert found.raw == {}
    assert signed_in(Role.VOLUNTEER, frame.deployment).get(where).status_code == 403
    page = signed_in(Role.RANGER, frame.deployment).get(
        reverse("detection:clock", args=[frame.batch_id])
    )
    assert where in page.content.decode()


def test_a_confirmed_clock_stands_in_the_receipt(frame: Frame) -> None:
    client = signed_in(Role.RANGER, frame.deployment)
    client.post(reverse("detection:clock-right", args=[frame.batch_id]))
    assert receipt(Batch.objects.get())["clock_right"] is True


def test_the_quarantine_shows_reasons_and_ways_out(frame: Frame) -> None:
    lake = frame.deployment.lake
    for reason in ("no_date", "absurd", "future", "outside", "camera"):
        make_frame(frame.deployment, captured_at=None, quarantine=reason, clock_at=None)
        Frame.objects.filter(quarantine=reason).update(captured_at=None)
    client = signed_in(Role.RANGER, frame.deployment)
    everything = client.get(reverse("detection:quarantine", args=[lake.slug]))
    assert [len(reasons) for _, reasons in everything.context["rows"]] == [5]
    card = client.get(reverse("detection:quarantine-card", args=[frame.batch_id]))
    assert [group[2] for group in card.context["groups"]] == [1] * 5
    Frame.objects.exclude(quarantine="").delete()
    assert client.get(reverse("detection:quarantine", args=[lake.slug])).status_code == 200


def test_the_migrations_are_whole(capsys: Any) -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
