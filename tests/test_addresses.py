"""Every address of the site × every role × every method, against one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from annotation.models import Import
from dashboards import kept, sharing
from dashboards.periods import Period
from detection.models import Batch, Candidate, CardFile, ClockCorrection, Run, Trial
from lacs_web.access import RIGHTS, Action
from lacs_web.models import Lake, Role, SchoolHoliday
from tests.access_table import ASKER, OFFICER, PUBLIC, SIGNED_IN, TABLE, Right
from tests.cast import ANONYMOUS, CAST, OTHER_RANGER, STRANGER, person, signed_in
from tests.factories import examine, make_deployment, make_frame

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def names(patterns: list[Any], space: str = "") -> Iterator[str]:
    for one in patterns:
        if isinstance(one, URLResolver):
            if one.app_name != "admin":  # Django's own rights hold there, for superusers alone
                yield from names(one.url_patterns, f"{one.namespace}:" if one.namespace else space)
        elif isinstance(one, URLPattern):
            assert one.name, f"{one.pattern} has no name"
            yield space + one.name


def test_every_address_is_in_the_table() -> None:
    assert sorted(set(names(get_resolver().url_patterns))) == sorted(TABLE)


@pytest.fixture
def things() -> dict[str, Any]:
    """One of everything that an address can name, all of it at one lake."""
    frame = make_frame(make_deployment())
    batch = Batch.objects.get(pk=frame.batch_id)
    assert frame.clock_at
    assert frame.captured_at
    link, address = sharing.make(
        lake=frame.deployment.lake,
        label="a partner",
        by=person(Role.OFFICER, frame.deployment.lake),
    )
    return {
        "holiday": SchoolHoliday.objects.create(
            lake=frame.deployment.lake,
            region="FR-A",
            name="Summer",
            first=frame.captured_at.date(),
            last=frame.captured_at.date(),
        ).pk,
        "link": link.pk,
        "secret": address.rstrip("/").rpartition("/")[2],
        "lake": frame.deployment.lake.slug,
        "deployment": frame.deployment.slug,
        "batch": batch.pk,
        "frame": frame.pk,
        "file": CardFile.objects.create(batch=batch, path="1.jpg", size=1).pk,
        "sha256": "0" * 64,
        "correction": ClockCorrection.objects.create(
            deployment=frame.deployment,
            batch=batch,
            clock_1=frame.clock_at,
            true_1=frame.captured_at,
        ).pk,
        "membership": person(Role.VOLUNTEER, frame.deployment.lake).memberships.get().pk,
        "run": (run := examine(frame)).pk,
        "other": Run.objects.create(
            batch=batch, detector=run.detector, software="test", finished_at=run.finished_at
        ).pk,
        "trial": Trial.objects.create(deployment=frame.deployment, detector=run.detector).pk,
        "candidate": Candidate.objects.create(
            deployment=frame.deployment, detector=run.detector, finished_at=run.finished_at
        ).pk,
        "brought": Import.objects.create(lake=frame.deployment.lake, kind="coco", frames=0).pk,
        "kept_export": kept.ask(
            kind="coco",
            lake=frame.deployment.lake,
            period=Period(frame.captured_at.date(), frame.captured_at.date()),
            by=person(Role.OFFICER, frame.deployment.lake),
        )[0].pk,
        "lesson": 1,
        "role": Role.RANGER,
        "api_token": 1,
        "invitation": "x",
        "key": "x",
        "token": "y",
    }


def address(name: str, things: dict[str, Any]) -> str:
    """The address called `name`, its arguments taken from `things` by their names."""
    if name.endswith(("export-figures", "export-frames", "kept-make")):
        things = things | {"kind": "csv" if name.endswith("figures") else "coco"}
    for patterns in get_resolver().reverse_dict.getlist(name) or [None]:
        if patterns:
            arguments = patterns[0][0][1]
            return reverse(name, kwargs={each: things[each] for each in arguments})
    space, _, short = name.rpartition(":")
    resolver = get_resolver().namespace_dict[space][1]
    arguments = resolver.reverse_dict.getlist(short)[0][0][0][1]
    return reverse(name, kwargs={each: things[each] for each in arguments})


def expected(right: Right, who: str) -> set[str]:
    """What may come back: "in" (anything but a refusal), "login", "403" or "404"."""
    if right == PUBLIC:
        return {"in"}
    if who == ANONYMOUS:
        return {"login"}
    if right == SIGNED_IN:
        return {"in"}
    if right == OFFICER:
        return {"in"} if Action.MANAGE in RIGHTS.get(who, ()) else {"403"}
    if who in (STRANGER, OTHER_RANGER) or (right == ASKER and who != Role.OFFICER):
        return {"404"}
    if right == ASKER:
        return {"in"}
    return {"in"} if right in RIGHTS[who] else {"403"}


def outcome(answer: Any) -> str:
    if answer.status_code in (301, 302) and "/signin/?next=" in answer["Location"]:
        return "login"
    return {401: "login", 403: "403", 404: "404", 405: "405"}.get(answer.status_code, "in")


def ask(client: Client, method: str, where: str) -> Any:
    send: Callable[..., Any] = getattr(client, method.lower())
    return send(where, **({} if method == "GET" else {"content_type": "application/json"}))


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(TABLE))
def test_an_address_answers_whom_it_should(name: str, things: dict[str, Any]) -> None:
    lake = Lake.objects.get(slug=things["lake"])
    where = address(name, things)
    wrong = []
    for who in CAST:
        cookie = signed_in(who, lake)
        for method in METHODS:
            client = Client(raise_request_exception=True)
            if cookie:
                client.cookies[settings.SESSION_COOKIE_NAME] = cookie
            with transaction.atomic():  # the next one finds all as it was
                got = outcome(ask(client, method, where))
                transaction.set_rollback(True)
            right = TABLE[name].get(method)
            # None: no such method, which is refused before or after the right is asked for
            may = {"405", "403", "404", "login"} if right is None else expected(right, who)
            if got not in may:
                wrong.append((who, method, got))
    assert not wrong


def test_the_cast_is_whole() -> None:
    assert set(Role.values) < set(CAST)
