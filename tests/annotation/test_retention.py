"""Originals go when their time has come, and not otherwise; what went is never shown again."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import simplejpeg
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation import checks, queue, resettling, retention, tasks
from annotation.models import Check, SettledFrame
from annotation.reviewing import StatedBox, submit
from dashboards import planning, rollups
from detection import doctor, renditions
from detection.cards import ingest, judging, purging, vault
from detection.models import Batch, CardFile, Deployment, Frame, Lifting, Purge, Retention
from detection.runs import Box
from lacs_web.models import AuditEvent, Lake, Role, User
from tests.cast import person
from tests.factories import examine, make_deployment, make_frame, make_lake

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
AT = datetime(2025, 7, 26, 10, tzinfo=UTC)
PERSON = StatedBox("person", "resting", 0.4, 0.3, 0.2, 0.5)


def noisy(seed: int) -> bytes:
    """A picture that a mask changes wherever it lies."""
    pixels = np.random.default_rng(seed).integers(0, 255, (240, 320, 3), np.uint8)
    return bytes(simplejpeg.encode_jpeg(pixels, quality=95, colorspace="RGB"))


def kept_frame(deployment: Any, at: datetime = AT, seed: int = 0) -> Frame:
    """A frame with its original in the vault, its preview and its file of the card."""
    sha256, size = vault.put([noisy(seed)])
    frame = make_frame(deployment, at)
    Frame.objects.filter(pk=frame.pk).update(sha256=sha256)
    vault.put_preview(sha256, noisy(seed))
    frame.refresh_from_db()
    CardFile.objects.create(
        batch=frame.batch, path=frame.path, size=size, sha256=sha256, state="new", frame=frame
    )
    return frame


def settle(frame: Frame, days_ago: float = 0) -> None:
    submit(
        frame=frame,
        reviewer=person(Role.RANGER, frame.deployment.lake),
        request_id=uuid.uuid4(),
        verdict="boxes",
        boxes=[PERSON],
    )
    ago = timezone.now() - timedelta(days=days_ago)
    SettledFrame.objects.filter(frame=frame).update(since=ago)


@pytest.fixture
def lake() -> Lake:
    return make_lake()


@pytest.fixture
def officer(lake: Lake) -> User:
    return person(Role.OFFICER, lake)


def pixels(jpeg: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(simplejpeg.decode_jpeg(jpeg, "RGB"), np.int16)


def differs(a: bytes, b: bytes, part: tuple[slice, slice]) -> float:
    return float(np.abs(pixels(a)[part] - pixels(b)[part]).mean())


def test_a_settled_frame_s_original_goes_after_its_days(lake: Lake, officer: User) -> None:
    deployment = make_deployment(lake)
    old, young, unread = (kept_frame(deployment, AT + timedelta(hours=n), seed=n) for n in range(3))
    examine(old, young, unread)
    settle(old, 31)
    settle(young, 29)
    resettling.resettle(old)  # as after a change of the rule: it was settled all the while
    before = renditions.rendition(old).jpeg()
    retention.set_rule(lake=lake, days=30, on=None, user=officer)
    seen = retention.preview(retention.of(lake))
    assert (seen.frames, seen.size, seen.first) == (1, vault.size(old.sha256), AT)
    assert retention.purge(lake=lake, user=officer) == 1
    assert retention.purge(lake=lake) == 0

    assert not vault.holds(old.sha256)
    assert vault.holds(young.sha256)
    assert vault.holds(unread.sha256)
    row = Purge.objects.get()
    assert (row.frame, row.rule, row.freed, row.by) == (old, {"days": 30}, seen.size, officer)
    assert row.done_at
    # What is on the disk now is masked itself: not only what leaves.
    somebody = (slice(72, 192), slice(128, 192))
    assert differs(vault.preview(old.sha256), noisy(0), somebody) > 20
    assert differs(renditions.rendition(old).jpeg(), before, somebody) < 15
    assert SettledFrame.objects.filter(frame=old).exists()
    assert AuditEvent.objects.filter(action="originals purged", lake=lake).exists()


def test_what_nobody_examined_is_masked_whole_when_it_goes(lake: Lake, officer: User) -> None:
    frame = kept_frame(make_deployment(lake))
    retention.set_rule(lake=lake, days=None, on=date(2025, 7, 27), user=officer)
    retention.purge(lake=lake)
    whole = (slice(None), slice(None))
    assert differs(vault.preview(frame.sha256), noisy(0), whole) > 20
    assert Purge.objects.get().rule == {"on": "2025-07-27"}


@pytest.mark.parametrize(("on", "gone"), [(date(2025, 7, 26), 0), (date(2025, 7, 27), 1)])
def test_a_day_takes_what_was_taken_before_it_here(
    lake: Lake, officer: User, on: date, gone: int
) -> None:
    kept_frame(make_deployment(lake), datetime(2025, 7, 26, 21, 59, tzinfo=UTC))  # 23:59 local
    retention.set_rule(lake=lake, days=None, on=on, user=officer)
    assert retention.purge(lake=lake) == gone
    Retention.objects.update(on=timezone.now().date() + timedelta(days=2))
    assert retention.purge(lake=lake) == 0


def test_another_lake_is_not_touched(lake: Lake, officer: User) -> None:
    other = kept_frame(make_deployment(make_lake("muzelle"), slug="other"))
    retention.set_rule(lake=lake, days=0, on=date(2025, 12, 1), user=officer)
    tasks.purge()
    assert vault.holds(other.sha256)


def test_a_hold_stops_a_purge_in_the_middle(
    lake: Lake, officer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = make_deployment(lake)
    for n in range(4):
        kept_frame(deployment, AT + timedelta(hours=n), seed=n)
    retention.set_rule(lake=lake, days=None, on=date(2025, 12, 1), user=officer)
    real = purging.finish

    def hold_after_two(one: Purge) -> None:
        real(one)
        if Purge.objects.count() == 2:
            retention.hold(lake=lake, why="inquiry", user=officer)

    monkeypatch.setattr(purging, "finish", hold_after_two)
    assert retention.purge(lake=lake) == 2
    assert retention.preview(retention.of(lake)).frames == 0
    with pytest.raises(ValidationError, match="hold"):
        retention.erase(lake=lake, first=AT, last=AT, why="x", user=officer)
    retention.hold(lake=lake, why="", user=officer)
    assert retention.purge(lake=lake) == 2


def test_a_purge_that_was_cut_off_goes_on_and_shows_nothing_meanwhile(
    lake: Lake, officer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = kept_frame(make_deployment(lake))
    examine(frame)
    renditions.lift(frame=frame, user=officer)
    assert renditions.is_lifted(frame, officer)
    retention.set_rule(lake=lake, days=None, on=date(2025, 12, 1), user=officer)
    with monkeypatch.context() as patch:
        patch.setattr(vault, "discard", lambda sha256: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            retention.purge(lake=lake)
    assert vault.holds(frame.sha256)
    assert not renditions.is_lifted(frame, officer)
    assert not renditions.rendition(frame, lifted=True).lifted
    tasks.purge()
    assert not vault.holds(frame.sha256)
    assert Purge.objects.get().done_at


def test_bytes_that_another_park_keeps_stay_until_theirs_go(lake: Lake, officer: User) -> None:
    mine = kept_frame(make_deployment(lake))
    far = make_lake("cornu", park="asters")
    theirs = make_frame(make_deployment(far, slug="far"), AT)
    Frame.objects.filter(pk=theirs.pk).update(sha256=mine.sha256)
    for place in (lake, far):
        assert vault.holds(mine.sha256)
        retention.set_rule(lake=place, days=None, on=date(2025, 12, 1), user=officer)
        assert retention.purge(lake=place) == 1
    assert not vault.holds(mine.sha256)


def test_a_card_that_comes_again_brings_nothing_back(lake: Lake, officer: User) -> None:
    frame = kept_frame(make_deployment(lake))
    retention.set_rule(lake=lake, days=None, on=date(2025, 12, 1), user=officer)
    retention.purge(lake=lake)
    masked = vault.preview(frame.sha256)
    sha256, size = vault.put([noisy(0)])
    again = CardFile.objects.create(
        batch=frame.batch, path="again.jpg", size=size, sha256=sha256, state="stored"
    )
    ingest.ingest_some(frame.batch)
    again.refresh_from_db()
    assert (again.state, again.frame) == ("duplicate", frame)
    assert not vault.holds(sha256)
    assert vault.preview(frame.sha256) == masked


def test_an_instant_is_erased_whole_also_where_it_was_purged(
    lake: Lake, officer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = make_deployment(lake)
    one, two = kept_frame(deployment, AT), kept_frame(deployment, AT + timedelta(hours=1), seed=1)
    examine(one, two)
    settle(one)
    volunteer = person(Role.VOLUNTEER, lake)
    Check.objects.create(frame=one, reviewer=volunteer)
    monkeypatch.setattr(checks, "REFILL", 1.0)
    retention.set_rule(lake=lake, days=None, on=date(2025, 12, 1), user=officer)
    retention.purge(lake=lake)
    count = retention.erase(
        lake=lake, first=AT, last=AT + timedelta(minutes=1), why="asked by mail", user=officer
    )
    assert count == 1
    whole = (slice(None), slice(None))
    assert differs(vault.preview(one.sha256), noisy(0), whole) > 20
    assert renditions.rendition(one).people is None
    assert renditions.rendition(two).people == ()
    assert Purge.objects.get(frame=one).rule == {"erased": "asked by mail"}
    assert checks.laid_up(volunteer, lake) == []  # nobody could say anything of it
    with pytest.raises(ValidationError, match="No picture"):
        retention.erase(lake=lake, first=AT - timedelta(days=9), last=AT - timedelta(days=8),
                        why="x", user=officer)  # fmt: skip


@pytest.mark.parametrize("who", ["machine", "human"])
def test_a_new_person_is_masked_at_once_and_the_picture_before_is_not_served_again(
    client: Client, lake: Lake, officer: User, who: str
) -> None:
    frame = kept_frame(make_deployment(lake))
    examine(frame)
    client.force_login(officer)
    address = reverse("detection:picture", args=[frame.pk])
    before = client.get(address)
    somebody = (slice(72, 192), slice(128, 192))
    assert differs(before.content, noisy(0), somebody) < 15  # nobody was known there
    if who == "machine":
        run = frame.batch.runs.get()
        run.detections.create(frame=frame, **vars(Box("person", "person", 0.2, 0.4, 0.3, 0.2, 0.5)))
    else:
        settle(frame)
    for headers in ({}, {"If-None-Match": before["ETag"]}):
        after = client.get(address, headers=headers)
        assert after.status_code == 200  # never "not modified"
        assert differs(after.content, noisy(0), somebody) > 20
    assert "no-cache" in before["Cache-Control"] or "no-store" in before["Cache-Control"]


def test_what_was_made_before_a_purge_or_an_erasure_is_not_taken_for_what_is_left(
    client: Client, lake: Lake, officer: User
) -> None:
    """Neither by the browser, which asks again, nor by this process, which may remember."""
    frame = kept_frame(make_deployment(lake))
    examine(frame)
    client.force_login(officer)
    address = reverse("detection:picture", args=[frame.pk])
    part = {"region": "0.4,0.3,0.4,0.4"}
    told = {name: client.get(address, data)["ETag"] for name, data in (("", {}), ("part", part))}
    assert client.get(address, headers={"If-None-Match": told[""]}).status_code == 304
    tags = [told]
    retention.set_rule(lake=lake, days=None, on=date(2025, 12, 1), user=officer)
    for erased in (False, True):
        if erased:
            retention.erase(lake=lake, first=AT, last=AT, why="asked", user=officer)
        else:
            retention.purge(lake=lake)
        new = {}
        for name, data in (("", {}), ("part", part)):
            answer = client.get(address, data, headers={"If-None-Match": tags[-1][name]})
            assert answer.status_code == 200
            new[name] = answer["ETag"]
        tags.append(new)
    sharp = pixels(noisy(0))[72:168, 128:256]
    assert np.abs(pixels(client.get(address, part).content) - sharp).mean() > 20


def test_whoever_lost_the_role_hears_no_not_modified(
    client: Client, lake: Lake, officer: User
) -> None:
    frame = kept_frame(make_deployment(lake))
    examine(frame)
    client.force_login(officer)
    address = reverse("detection:picture", args=[frame.pk])
    before = {"If-None-Match": client.get(address)["ETag"]}
    assert client.get(address, headers=before).status_code == 304
    officer.memberships.update(role=Role.PARTNER)
    assert client.get(address, headers=before).status_code == 403
    officer.memberships.all().delete()
    assert client.get(address, headers=before).status_code == 404
    client.logout()
    assert client.get(address, headers=before).status_code == 302


def no_frame(lake: Lake, seed: int = 7, state: str = "set_aside", **fields: Any) -> CardFile:
    """A file of a card at `lake` that became no frame, handed over 40 days ago."""
    deployment = Deployment.objects.filter(lake=lake).first() or make_deployment(lake, lake.slug)
    batch = deployment.batches.first() or Batch.objects.create(deployment=deployment)
    Batch.objects.filter(pk=batch.pk).update(closed_at=timezone.now() - timedelta(days=40))
    sha256, size = vault.put([noisy(seed)])
    return CardFile.objects.create(
        batch=batch, path=f"{seed}-{state}.avi", size=size, sha256=sha256, state=state, **fields
    )


@pytest.mark.parametrize("state", ["set_aside", "unreadable"])
def test_a_video_and_an_unreadable_file_go_by_the_rule(
    lake: Lake, officer: User, state: str
) -> None:
    file = no_frame(lake, state=state)
    # What stopped a worker may have left a preview, which nobody masked.
    vault.put_preview(file.sha256, noisy(7))
    retention.set_rule(lake=lake, days=0, unsettled_days=41, on=None, user=officer)
    assert retention.purge(lake=lake) == 0
    retention.set_rule(lake=lake, days=0, unsettled_days=39, on=None, user=officer)
    seen = retention.preview(retention.of(lake))
    assert (seen.frames, seen.files, seen.size) == (0, 1, file.size)
    assert retention.purge(lake=lake, user=officer) == 1
    assert not vault.holds(file.sha256)
    with pytest.raises(FileNotFoundError):
        vault.preview(file.sha256)
    row = Purge.objects.get()
    assert (row.file, row.rule, row.freed, row.by) == (file, {"unsettled": 39}, file.size, officer)
    assert [check() for check in doctor.CHECKS] == [None] * len(doctor.CHECKS)


def test_a_day_takes_files_of_cards_handed_over_before_it(lake: Lake, officer: User) -> None:
    file = no_frame(lake)
    Batch.objects.update(opened_at=AT)
    retention.set_rule(lake=lake, days=None, on=date(2025, 7, 26), user=officer)
    assert retention.purge(lake=lake) == 0
    retention.set_rule(lake=lake, days=None, on=date(2025, 7, 27), user=officer)
    assert retention.purge(lake=lake) == 1
    assert not vault.holds(file.sha256)


def test_what_nobody_settled_goes_so_many_days_after_its_card(lake: Lake, officer: User) -> None:
    deployment = make_deployment(lake)
    read, unread, undated = (kept_frame(deployment, AT + timedelta(hours=n), n) for n in range(3))
    Frame.objects.filter(pk=undated.pk).update(captured_at=None, quarantine="absurd")
    Batch.objects.update(closed_at=timezone.now() - timedelta(days=40))
    settle(read)
    retention.set_rule(lake=lake, days=None, unsettled_days=39, on=None, user=officer)
    assert retention.purge(lake=lake) == 2
    assert [vault.holds(one.sha256) for one in (read, unread, undated)] == [True, False, False]


def test_bytes_of_a_video_stay_while_another_row_keeps_them(lake: Lake, officer: User) -> None:
    mine = no_frame(lake)
    far = make_lake("cornu", park="asters")
    theirs = no_frame(far)
    assert theirs.sha256 == mine.sha256
    for place in (lake, far):
        assert vault.holds(mine.sha256)
        retention.set_rule(lake=place, days=None, unsettled_days=30, on=None, user=officer)
        assert retention.purge(lake=place) == 1
    assert not vault.holds(mine.sha256)


def test_a_video_that_comes_again_goes_again(lake: Lake, officer: User) -> None:
    file = no_frame(lake)
    retention.set_rule(lake=lake, days=None, unsettled_days=30, on=None, user=officer)
    retention.purge(lake=lake)
    again = no_frame(lake, state="stored")
    ingest.ingest_some(file.batch)
    again.refresh_from_db()
    assert again.state == "set_aside"
    assert not vault.holds(file.sha256)
    assert Purge.objects.get(file=again).rule == {"unsettled": 30}


def test_what_was_erased_stays_away_from_every_lake_of_the_park(lake: Lake, officer: User) -> None:
    file = no_frame(lake, 10, modified_at=AT)
    retention.erase(lake=lake, first=AT, last=AT, why="asked", user=officer)
    again = no_frame(make_lake("muzelle"), 10, state="stored")
    assert vault.holds(file.sha256)
    ingest.ingest_some(again.batch)
    assert not vault.holds(file.sha256)
    assert Purge.objects.get(file=again).rule == {"erased": "asked"}


def test_the_hour_that_comes_twice_is_erased_twice(
    client: Client, lake: Lake, officer: User
) -> None:
    deployment = make_deployment(lake)
    for hour in (0, 1):  # 02:30 in summer time, then in winter time
        kept_frame(deployment, datetime(2025, 10, 26, hour, 30, tzinfo=UTC), hour)
    client.force_login(officer)
    said = {
        "form": "erase", "erase-day": "2025-10-26", "erase-first": "02:00", "erase-last": "02:59",
        "erase-why": "asked",
    }  # fmt: skip
    client.post(reverse("annotation:privacy", args=[lake.slug]), said)
    assert Purge.objects.filter(rule__has_key="erased").count() == 2


def test_nobody_is_asked_what_is_on_an_erased_frame(
    client: Client, lake: Lake, officer: User
) -> None:
    """Nor does it hold up the sample: what follows it by rank counts as read."""
    deployment = make_deployment(lake)
    gone, stays = (kept_frame(deployment, AT + timedelta(hours=n), n) for n in range(2))
    examine(gone, stays)
    renditions.lift(frame=gone, user=officer)
    retention.erase(lake=lake, first=AT, last=AT, why="asked", user=officer)
    judging.judge(gone.batch)
    for role in (Role.VOLUNTEER, Role.RANGER):
        assert list(queue.waiting(queue.Desk.of(person(role, lake), lake))) == [stays]
    client.force_login(officer)
    liftings = Lifting.objects.count()
    assert client.post(reverse("annotation:unmask", args=[gone.pk])).status_code == 403
    # The editor offers no lifting where there is nothing to be seen, and says why.
    for each, url in ((gone, ""), (stays, reverse("annotation:unmask", args=[stays.pk]))):
        given = client.get(reverse("annotation:frame", args=[each.pk])).json()
        assert (given["unmask_url"], bool(given["mask_stays"])) == (url, not url)
    assert Lifting.objects.count() == liftings
    said = {
        "request_id": str(uuid.uuid4()), "verdict": "nobody", "version": 0, "boxes": [],
        "seconds": 1,
    }  # fmt: skip
    answer = client.post(
        reverse("annotation:reviews", args=[gone.pk]), said, content_type="application/json"
    )
    assert answer.status_code == 400
    assert not SettledFrame.objects.exists()
    assert rollups.catch_up([lake], at_once=False)
    asked = planning.ask(*planning.kept(lake))
    assert (asked.frames, asked.turns) == (1, [stays.pk])


def test_an_erasure_takes_what_is_no_frame_and_on_request_what_has_no_time(
    lake: Lake, officer: User
) -> None:
    deployment = make_deployment(lake)
    stamped, unknown, clocked, lost, other = (
        no_frame(lake, 10, modified_at=AT),
        no_frame(lake, 11),
        kept_frame(deployment, AT, 12),
        kept_frame(deployment, AT, 13),
        kept_frame(deployment, AT + timedelta(days=1), 14),
    )
    local = datetime(2025, 7, 26, 12, tzinfo=UTC)  # as the camera's clock says 10:00 UTC
    for frame, clock in ((clocked, local), (lost, None)):
        Frame.objects.filter(pk=frame.pk).update(
            captured_at=None, quarantine="no_date", clock_at=clock
        )

    def erase(undated: bool) -> int:
        return retention.erase(
            lake=lake, first=AT, last=AT, why="asked", user=officer, undated=undated
        )

    def held() -> list[bool]:
        return [vault.holds(one.sha256) for one in (stamped, unknown, clocked, lost, other)]

    assert erase(undated=False) == 2
    assert held() == [False, True, False, True, True]
    assert erase(undated=True) == 4
    assert held() == [False, False, False, False, True]
    assert set(Purge.objects.values_list("rule__erased", flat=True)) == {"asked"}


def test_an_erased_time_is_not_read_off_the_strips_either(lake: Lake, officer: User) -> None:
    frame = kept_frame(make_deployment(lake))
    with_bytes = vault.preview(frame.sha256)
    purging.begin(of=frame, rule={"erased": "asked"}, by=officer)  # and then it was cut off
    strip = pixels(renditions.stamp(frame))[:8]
    assert np.abs(strip - pixels(with_bytes)[:8]).mean() > 20


def test_the_page_sets_the_rule_holds_purges_and_erases(
    client: Client, lake: Lake, officer: User
) -> None:
    frame = kept_frame(make_deployment(lake))
    client.force_login(officer)
    client.cookies["django_language"] = "en"
    address = reverse("annotation:privacy", args=[lake.slug])

    def send(form: str, **fields: str) -> Any:
        return client.post(address, {"form": form, **fields})

    assert "no rule yet" in client.get(address).content.decode()
    assert send("rule", days="-1").status_code == 400
    assert send("rule", days="", on="2025-12-01").status_code == 302
    assert "1 original of a frame" in client.get(address).content.decode()
    send("hold", why="inquiry 12")
    page = client.get(address).content.decode()
    assert "inquiry 12" in page
    assert "Nothing, while the hold stands" in page
    at = {"erase-day": "2025-07-26", "erase-first": "12:00", "erase-last": "12:00"}
    refused = send("erase", **at, **{"erase-why": "asked"})
    assert refused.status_code == 400
    assert "A hold stands" in refused.content.decode()
    send("free")
    send("purge")
    assert not vault.holds(frame.sha256)
    assert send("erase", **at, **{"erase-why": "asked"}).status_code == 302
    page = client.get(address).content.decode()
    assert "erased on request: asked" in page
    assert page.count('mb-3" lang="fr"') == page.count('mb-3" lang="it"') == 1
    backwards = {**at, "erase-last": "11:00", "erase-why": "x"}
    assert "before the beginning" in send("erase", **backwards).content.decode()


def test_the_page_says_who_saw_whom(
    client: Client, lake: Lake, officer: User, django_assert_num_queries: Any
) -> None:
    deployment = make_deployment(lake)
    address = reverse("annotation:privacy", args=[lake.slug])
    client.force_login(officer)
    for _ in range(2):
        ranger = person(Role.RANGER, lake)
        renditions.lift(frame=kept_frame(deployment, seed=Frame.objects.count()), user=ranger)
        with django_assert_num_queries(11):
            page = client.get(address)
        assert ranger.email in page.content.decode()
