"""Log lines as JSON: whole, and without what must not be there."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.test import Client

from lacs_web.accounts import signin_path
from lacs_web.logs import JsonLines
from lacs_web.models import User


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
