"""What is kept for each day follows every change, and equals what the frames say."""

from __future__ import annotations

import io
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from annotation.models import Plan, SettledFrame
from dashboards import planning, rollups
from dashboards.attendance import attendance
from dashboards.models import Change, DayFigures, DeploymentFigures
from dashboards.tasks import keep_figures, plan
from detection import runs, weighing
from detection.models import Deployment, Detection, Frame, Suppression
from lacs_web.models import Lake
from tests.dashboards.survey import FIRST, LAST, at, make_survey, read, seen
from tests.factories import examine, make_deployment, make_frame, make_lake

pytestmark = pytest.mark.django_db


@pytest.fixture
def place() -> Deployment:
    deployment = make_survey()
    assert rollups.catch_up([deployment.lake])
    assert not rollups.differences(deployment)
    return deployment


def in_step(place: Deployment) -> dict[str, Any]:
    """The figures after whatever changed, held against the frames."""
    assert Change.objects.filter(deployment=place).exists()
    figures = attendance(place.lake, FIRST, LAST)
    assert rollups.differences(place) == []
    assert not Change.objects.exists()
    return figures


def test_a_review_makes_its_own_day_anew(place: Deployment) -> None:
    kept = dict(DayFigures.objects.values_list("day", "pk"))
    frame = Frame.objects.get(captured_at=at(26, 15))
    read(frame, 5)
    figures = in_step(place)
    assert figures["validated_person_hours"] == pytest.approx((2 + 4 + 0 + 5) * 0.25)
    now = dict(DayFigures.objects.values_list("day", "pk"))
    assert {day for day in kept if kept[day] != now[day]} == {FIRST + timedelta(days=1)}


def test_a_reading_that_is_taken_back_is_no_longer_read(place: Deployment) -> None:
    SettledFrame.objects.filter(frame__captured_at=at(26, 14)).delete()
    assert [day["basis"] for day in in_step(place)["days"]][1] == "machine only"


def test_a_fogged_frame_that_somebody_could_read_counts(place: Deployment) -> None:
    (fog,) = [make_frame(place, at(28, 9), flag="fogged")]
    assert len(in_step(place)["not_observed"]) == 2
    read(fog, 1)
    assert in_step(place)["not_observed"] == [LAST]


def test_boxes_that_do_not_count_any_more(place: Deployment) -> None:
    box = Detection.objects.filter(frame__captured_at=at(27, 14)).first()
    assert box
    Suppression.objects.create(detection=box, reason=Suppression.Reason.IGNORED)
    assert in_step(place)["machine_only_person_hours"] == pytest.approx((3 + 4) * 0.25)
    runs.owe_weighing(place)
    for run in weighing.owed():
        weighing.weigh(run)
    assert in_step(place)["machine_only_person_hours"] == pytest.approx((3 + 5) * 0.25)


def test_a_clock_that_was_a_day_wrong(place: Deployment) -> None:
    for frame in Frame.objects.filter(deployment=place):
        assert frame.captured_at
        frame.captured_at += timedelta(days=1)
        frame.save()
    figures = in_step(place)
    assert [day["day"].day for day in figures["days"]] == [26, 27, 28, 30]


def test_another_interval_and_another_time_zone(place: Deployment) -> None:
    Deployment.objects.filter(pk=place.pk).update(interval_seconds=1800)
    place.refresh_from_db()
    assert in_step(place)["watched_hours"] == pytest.approx(6 * 0.5)
    place.lake.time_zone = "Pacific/Auckland"
    place.lake.save()
    place = Deployment.objects.get(pk=place.pk)
    assert in_step(place)["hours"][0]["hour"] == 0


def test_frames_that_come_move_and_go(place: Deployment) -> None:
    new = make_frame(place, at(28, 12))
    examine(new, boxes={new.pk: seen(2)})
    assert in_step(place)["machine_only_person_hours"] == pytest.approx((3 + 5 + 2) * 0.25)
    other = make_deployment(place.lake, slug="far", interval_seconds=900)
    Frame.objects.filter(pk=new.pk).update(deployment=other)
    assert rollups.catch_up([place.lake])
    assert rollups.differences(place) == rollups.differences(other) == []
    assert DayFigures.objects.filter(deployment=other).count() == 1


def test_what_is_not_touched_is_not_made_anew(place: Deployment) -> None:
    Frame.objects.update(sharpness=99)
    Deployment.objects.update(viewpoint="South shore")
    assert not Change.objects.exists()


def test_much_work_is_left_to_the_task(place: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollups, "AT_ONCE", 3)
    make_frame(place, at(28, 12))
    assert not attendance(place.lake, FIRST, LAST)["in_step"]
    keep_figures()  # more may come at this moment
    assert Change.objects.exists()
    Change.objects.update(at=at(28, 12))
    keep_figures()
    assert attendance(place.lake, FIRST, LAST)["in_step"]
    assert rollups.differences(place) == []


def test_the_command_finds_and_mends_what_is_wrong(place: Deployment) -> None:
    out = io.StringIO()
    call_command("rebuild_figures", check=True, stdout=out)
    assert "as the frames say" in out.getvalue()
    DayFigures.objects.filter(day=FIRST).update(n_read=1, rules=[])
    DayFigures.objects.filter(day=LAST - timedelta(days=1)).delete()
    with pytest.raises(CommandError, match="differ"):
        call_command("rebuild_figures", place.lake.slug, check=True, stdout=out)
    assert f"{place.slug} {FIRST}: n_read, rules" in out.getvalue()
    assert f"{place.slug} 2025-07-29: not kept" in out.getvalue()
    call_command("rebuild_figures", stdout=out)
    call_command("rebuild_figures", check=True, stdout=out)
    with pytest.raises(CommandError, match="No lake"):
        call_command("rebuild_figures", "nowhere", stdout=out)


def test_another_country_has_other_days(place: Deployment) -> None:
    """14 July is a Monday like any other in Italy: strata and figures follow the lake's country."""
    frames = [make_frame(place, at(14, hour)) for hour in (10, 11)]
    examine(*frames, boxes={})
    period = (FIRST - timedelta(days=14), LAST)

    def kind() -> str:
        found = {
            each["day"].day: each["kind"] for each in attendance(place.lake, *period)["calendar"]
        }
        return str(found[14])

    assert kind() == "holiday"
    plan()
    french = Plan.objects.get().basis
    place.lake.country = "IT"
    place.lake.save()
    assert Change.objects.filter(deployment=place, instant=None).exists()
    assert kind() == "week"
    assert not Change.objects.exists()
    assert rollups.differences(Deployment.objects.get(pk=place.pk)) == []
    plan()
    assert Plan.objects.get().basis != french


def test_strata_go_by_the_calendar_of_the_country() -> None:
    """Fifty frames on 14 July and fifty on the day after, all alike: in France two strata."""
    lake = make_lake()
    place = make_deployment(lake, interval_seconds=60)
    frames = [make_frame(place, at(day, 10, n)) for day in (14, 15) for n in range(50)]
    examine(*frames, boxes={})
    assert rollups.catch_up([lake])
    assert DeploymentFigures.objects.get().sizes == [50, 50]
    Lake.objects.update(country="IT")
    assert rollups.catch_up([lake])
    assert DeploymentFigures.objects.get().sizes == [100]


def test_little_at_many_places_is_much(place: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a hundred lakes that were each changed a little."""
    monkeypatch.setattr(rollups, "AT_ONCE", 10)
    places = [make_deployment(make_lake(f"lake-{n}"), slug=f"s-{n}") for n in range(3)]
    for each in places:
        for hour in range(8, 12):
            make_frame(each, at(28, hour))
    assert not rollups.catch_up([each.lake for each in places])
    assert DayFigures.objects.filter(deployment__in=places).count() == 2
    assert rollups.catch_up([each.lake for each in places])


def test_the_queries_of_a_first_read_are_bounded(
    place: Deployment, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(rollups, "AT_ONCE", 0)
    lakes = [make_lake(f"lake-{n}") for n in range(12)]
    for lake in lakes:
        make_frame(make_deployment(lake, slug=lake.slug), at(28, 9))
    with django_assert_max_num_queries(rollups.PLACES_AT_ONCE + 2):
        assert not rollups.catch_up(lakes)


def test_the_last_moment_of_a_day_is_no_hour_of_its_own(place: Deployment) -> None:
    """Kept in single precision, 23:59:59.999 would be 24.0."""
    for hour in (14, 24):
        frame = make_frame(place, at(28, hour) - timedelta(milliseconds=1))
        read(frame, 3)
    found = in_step(place)
    assert [each["hour"] for each in found["hours"] if each["persons_present"] == 3] == [13, 23]
    assert {each["hour"] for each in found["week"]} == {9, 13, 14, 15, 23}


def test_one_reading_makes_one_day_anew_where_no_detector_was() -> None:
    """However large the deployment, nobody waits for more than a day."""
    place = make_deployment(interval_seconds=900)
    frames = [make_frame(place, at(day, 10)) for day in (25, 26)]
    assert rollups.catch_up([place.lake])
    kept = dict(DayFigures.objects.values_list("day", "pk"))
    read(frames[1], 2)
    in_step(place)
    now = dict(DayFigures.objects.values_list("day", "pk"))
    assert [day.day for day in kept if kept[day] != now[day]] == [26]


def test_days_are_packed_anew_and_back(place: Deployment) -> None:
    """What is kept of frames and features survives both ways of the migration."""
    packing = import_module("dashboards.migrations.0004_features_stand_beside_frames")
    kept = list(DayFigures.objects.order_by("pk").values_list("frames", "features"))
    packing.pack_apart(apps, None)
    assert list(DayFigures.objects.order_by("pk").values_list("frames", "features")) != kept
    packing.pack_beside(apps, None)
    assert list(DayFigures.objects.order_by("pk").values_list("frames", "features")) == kept
    assert rollups.differences(place) == []


def test_one_failing_deployment_or_lake_stops_no_other(
    place: Deployment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = make_deployment(make_lake("broken"), slug="broken")
    other = make_deployment(make_lake("other"), slug="other")
    for each in (broken, other):
        make_frame(each, at(28, 12))
    Change.objects.update(at=at(28, 12))
    right = rollups.made

    def made(deployment: Deployment) -> Any:
        if deployment == broken:
            raise ValueError("a row that nobody foresaw")
        return right(deployment)

    monkeypatch.setattr(rollups, "made", made)
    keep_figures()
    assert list(Change.objects.values_list("deployment", flat=True)) == [broken.pk]
    assert DayFigures.objects.filter(deployment=other).exists()
    assert [(each.levelname, str(broken.pk) in each.message) for each in caplog.records] == [
        ("ERROR", True)
    ]
    caplog.clear()
    make_frame(other, at(28, 13))
    assert not rollups.catch_up([broken.lake, other.lake])  # as a page asks: it opens
    assert [str(broken.pk) in each.message for each in caplog.records] == [True]
    assert list(Change.objects.values_list("deployment", flat=True)) == [broken.pk]
    with pytest.raises(ValueError, match="nobody foresaw"):  # a file that cannot say so
        rollups.catch_up([broken.lake], at_once=False)
    caplog.clear()
    monkeypatch.setattr(rollups, "made", right)
    given_out = planning.plan

    def give_out(*, lake: Lake, **rest: Any) -> Any:
        if lake == broken.lake:
            raise ValueError("another")
        return given_out(lake=lake, **rest)

    monkeypatch.setattr(planning, "plan", give_out)
    plan()
    assert set(Plan.objects.exclude(made_at=None).values_list("lake", flat=True)) == {
        place.lake_id, other.lake_id,
    }  # fmt: skip
    assert [(each.levelname, "broken" in each.message) for each in caplog.records] == [
        ("ERROR", True)
    ]
