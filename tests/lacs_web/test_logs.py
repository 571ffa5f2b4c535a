"""Log lines as JSON: whole, and without what must not be there."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from lacs_web.accounts import signin_path
from lacs_web.logs import JsonLines, RouteOnly
from lacs_web.models import Role, User
from tests.cast import person
from tests.factories import make_lake


def test_a_line_is_one_object_with_its_exception() -> None:
    try:
        raise ValueError("a\nb")
    except ValueError as error:
        told = (ValueError, error, error.__traceback__)
    record = logging.LogRecord("lacs", logging.ERROR, "x.py", 1, "read %s", ("é",), told)
    line = JsonLines().format(record)
    assert "\n" not in line
    said = json.loads(line)
    assert (said["message"], said["level"]) == ("read é", "ERROR")
    assert "ValueError: a" in said["exception"]


@pytest.mark.django_db
def test_a_one_time_link_is_not_in_what_is_said_of_a_request(caplog: Any) -> None:
    path = signin_path(User.objects.create_user("ranger@example.org", is_active=False))
    token = path.split("/")[-2]
    Client().get(path)
    record = next(one for one in caplog.records if one.name == "django.request")
    record.msg, record.args = "refused", ()
    said = json.loads(JsonLines().format(record))
    assert (said["route"], said["status"]) == ("signin/<str:key>/<str:token>/", 410)
    assert token not in str(said)


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the handler of the settings writes."""
    written = io.StringIO()
    (handler,) = (
        one
        for one in logging.getLogger().handlers
        if any(isinstance(each, RouteOnly) for each in one.filters)
    )
    monkeypatch.setattr(handler, "stream", written)
    return written


SECRET = "c2VjcmV0"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "route"),
    [
        (f"/signin/MQ/{SECRET}/", "/signin/<str:key>/<str:token>/"),
        (f"/signin/MQ/{SECRET}/%0a", "(no such address)"),
        (f"/shared/{SECRET}/", "/shared/<str:secret>/"),
        (f"/shared/{SECRET}/x y", "(no such address)"),
        (f"/invitation/{SECRET}/", "/invitation/<str:invitation>/"),
    ],
)
def test_no_address_with_a_token_is_in_any_line(
    console: io.StringIO, path: str, route: str
) -> None:
    client = Client()
    client.force_login(User.objects.create_user("one@example.org"))
    assert client.get(path).status_code in (404, 410)
    # CSRF tells the page that a form came from.
    strict = Client(enforce_csrf_checks=True, headers={"Referer": f"https://else.example{path}"})
    strict.post(path, secure=True)
    for name, said, sent in (
        ("django.server", '"%s" %s %s', (f"GET {path}?x=1 HTTP/1.1", "410", "99")),
        ("gunicorn.error", "Error handling request %s %s", ("GET", path)),
    ):
        logging.getLogger(name).error(said, *sent)
    lines = console.getvalue()
    assert SECRET not in lines
    assert lines.count(route) >= 4, lines


@pytest.mark.django_db
def test_a_refusal_is_one_line_and_a_fault_tells_its_stack(
    console: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = make_lake()
    client = Client(raise_request_exception=False)
    client.force_login(person(Role.PARTNER, lake))
    assert client.get(reverse("people", args=[lake.slug])).status_code == 403
    assert console.getvalue().count("\n") == 1
    assert "lakes/<slug:lake>/people/" in console.getvalue()
    monkeypatch.setattr("lacs_web.people.access.lake_for", lambda *_: 1 // 0)
    assert client.get(reverse("people", args=[lake.slug])).status_code == 500
    assert "ZeroDivisionError" in console.getvalue()
