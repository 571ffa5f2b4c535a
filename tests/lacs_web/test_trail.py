"""The audit trail of a lake: whole, in words, filtered, and of no other lake."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from annotation import discretion
from annotation.ruling import Effect
from annotation.settling import Rule
from dashboards.exporting import FORMATS
from detection.models import Zone
from detection.onnx.engine import DetectorSettings
from detection.placing import KEPT
from lacs_web import trail, trail_text
from lacs_web.models import AuditEvent, Lake, Role, User
from tests.cast import person
from tests.factories import make_lake

# Rare, or of the whole installation: shown in the administration alone, or as they are written.
ELSEWHERE = {
    "account deleted",
    "added in the administration",
    "changed in the administration",
    "deleted in the administration",
    "detector registered",
    "sign-in paused",
}


def calls() -> Iterator[tuple[ast.Call, ast.FunctionDef]]:
    """Every call in our sources, with the function around it."""
    for app in ("lacs_web", "detection", "annotation", "dashboards"):
        for path in Path(settings.BASE_DIR, app).rglob("*.py"):
            if {"embedded", "training", "benchmarks", "migrations"} & set(path.parts):
                continue
            for function in ast.walk(ast.parse(path.read_text())):
                if isinstance(function, ast.FunctionDef):
                    for node in ast.walk(function):
                        if isinstance(node, ast.Call):
                            yield node, function


def strings(*nodes: ast.AST) -> set[str]:
    """What a call may be given: of `a if x else b` either."""
    return {
        one.value
        for node in nodes
        for one in ([node] if not isinstance(node, ast.IfExp) else [node.body, node.orelse])
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    }


def given(call: ast.Call, name: str) -> list[ast.AST]:
    return [each.value for each in call.keywords if each.arg == name]


def test_every_deed_has_words() -> None:
    written: set[str] = set()
    for call, function in calls():
        called = ast.unparse(call.func)
        if called == "AuditEvent.objects.create":
            for value in given(call, "action"):
                written |= strings(value)
                if isinstance(value, ast.Name):  # said before, in this function
                    written |= {
                        said
                        for node in ast.walk(function)
                        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == value.id
                        for said in strings(node.value)
                    }
        elif called in {"_record", "_audit", "_derived"}:
            written |= strings(*call.args)
        elif called == "enter":
            written |= strings(*given(call, "how"))
    assert len(written) > 40
    assert written - ELSEWHERE <= set(trail.WORDS)


def test_every_circumstance_has_words() -> None:
    names = {*KEPT, *asdict(Effect()), *asdict(Rule()), *asdict(DetectorSettings())}
    for call, function in calls():
        called = ast.unparse(call.func)
        if called == "AuditEvent.objects.create" and function.name != "_audit":
            inside = [*given(call, "detail"), *(
                node.value
                for node in ast.walk(function)
                if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign)
                and node.value is not None
                and "detail" in ast.unparse(node).partition("=")[0]
            )]  # fmt: skip
            for node in (one for each in inside for one in ast.walk(each)):
                if isinstance(node, ast.Dict):
                    names |= strings(*filter(None, node.keys))
        elif called == "_record":
            names |= {each.arg for each in call.keywords if each.arg}
    assert len(names) > 60
    assert names <= set(trail_text.NAMES)


@pytest.fixture
def lake() -> Lake:
    return make_lake()


@pytest.fixture
def officer(lake: Lake) -> User:
    return person(Role.OFFICER, lake)


def page(user: User, lake: Lake, **asked: Any) -> str:
    client = Client()
    client.force_login(user)
    client.cookies["django_language"] = "en"
    return client.get(reverse("trail", args=[lake.slug]), asked).content.decode()


@pytest.mark.django_db
def test_the_page_shows_this_lake_and_its_people_alone(lake: Lake, officer: User) -> None:
    far = make_lake("cornu", "asters")
    stranger = person(Role.RANGER, far)
    AuditEvent.objects.create(user=officer, lake=lake, action="mask lifted", detail={"frame": 77})
    AuditEvent.objects.create(user=officer, action="signed in")
    AuditEvent.objects.create(user=officer, action="changed in the administration",
                              detail={"secret": "elsewhere"})  # fmt: skip
    AuditEvent.objects.create(user=stranger, lake=far, action="exported")
    AuditEvent.objects.create(user=stranger, action="signed in")
    shown = page(officer, lake)
    assert shown.count("<tr>") == 3
    assert "frame: 77" in shown
    said = {"role": "volunteer", "before": "ranger", "scope": "park", "by": None, "right": True}
    event = AuditEvent.objects.create(user=officer, lake=lake, action="role changed", detail=said)
    told = "role: volunteer; right: yes; where: the whole park; before: ranger<"
    assert told in page(officer, lake)
    codes = {
        "activities": ["bathing", "on_water"], "kinds": ["water", "ignore"], "format": "xlsx",
        "country": "FR", "expires": "2025-07-01T10:00:00+00:00", "on": "2025-07-02",
        "scope": "figures", "from": "north-shore",
    }  # fmt: skip
    AuditEvent.objects.filter(pk=event.pk).update(detail=codes)
    shown_codes = page(officer, lake)
    for words in (
        "activities: bathing, on the water", "zones: water, ignore", "format: Workbook (XLSX)",
        "country: of France", "expires: 1 July 2025, 12:00", "on: 2 July 2025",
        "where: read figures", "from: north-shore",
    ):  # fmt: skip
        assert words in shown_codes
    assert {code for code, _words in discretion.CHOICES} == set(trail_text._CODES["activities"])
    assert set(Zone.Kind.values) == set(trail_text._CODES["kinds"])
    assert set(FORMATS) == set(trail_text._CODES["format"])
    event.delete()
    assert "elsewhere" not in shown
    assert stranger.email not in shown


@pytest.mark.django_db
def test_it_is_filtered_and_paged(lake: Lake, officer: User, monkeypatch: Any) -> None:
    ranger = person(Role.RANGER, lake)
    for user, action, day in (
        (ranger, "mask lifted", 1),
        (ranger, "exported", 2),
        (officer, "mask lifted", 3),
    ):
        event = AuditEvent.objects.create(user=user, lake=lake, action=action)
        # 23:30 UTC is the next day at the lake.
        AuditEvent.objects.filter(pk=event.pk).update(at=datetime(2025, 7, day, 23, 30, tzinfo=UTC))

    def rows(**asked: Any) -> int:
        return page(officer, lake, **asked).count("<tr>") - 1

    assert rows() == 3
    assert rows(who="RANGER@") == 2
    assert rows(what="mask lifted") == 2
    assert rows(what="mask lifted", who="ranger") == 1
    assert rows(first="2025-07-03", last="2025-07-03") == 1
    assert rows(first="2025-07-05") == -1
    assert "?" not in page(officer, lake, who="x").split("Older")[0][-5:]
    monkeypatch.setattr(trail, "SHOWN", 2)
    first = page(officer, lake, what="")
    before = re.search(r"before=(\d+)", first)
    assert before
    assert (first.count("<tr>") - 1, rows(before=before[1])) == (2, 1)


@pytest.mark.django_db
def test_its_cost_does_not_grow(lake: Lake, officer: User, django_assert_num_queries: Any) -> None:
    client = Client()
    client.force_login(officer)
    for number in range(3):
        AuditEvent.objects.create(user=person(Role.RANGER, lake, f"r{number}"), lake=lake,
                                  action="exported")  # fmt: skip
        with django_assert_num_queries(5):
            client.get(reverse("trail", args=[lake.slug]))
