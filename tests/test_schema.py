"""The schema of the public API is valid, whole and true: what it says is what addresses answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.test import Client
from django.urls import resolve, reverse
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as profile
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks

from dashboards import kept
from dashboards.periods import Period
from detection.models import CardFile
from lacs_web import tokens
from lacs_web.access import Action
from lacs_web.models import Lake, Role
from lacs_web.wsgi import application
from tests.access_table import ASKER, SIGNED_IN, TABLE
from tests.cast import person
from tests.dashboards.survey import at, seen
from tests.dashboards.test_estimates import state
from tests.factories import examine, make_deployment, make_frame

pytestmark = pytest.mark.django_db
EXAMPLES = 8  # for each operation, and each of valid and wrong requests
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


@pytest.fixture
def known() -> dict[str, Any]:
    """What a request can name that is there: a lake with figures, and a card."""
    place = make_deployment(interval_seconds=900)
    place.lake.latitude, place.lake.longitude = 44.9, 6.1
    place.lake.save()
    frames = [make_frame(place, at(26, *when)) for when in ((10, 0), (10, 15), (11, 0), (20, 0))]
    examine(*frames, boxes={frames[0].pk: seen(1), frames[1].pk: seen(2)})
    state(frames[0], ("person", "bathing"), ("person", "walking"), ("boat", ""))
    state(frames[1], ("person", "fishing"))
    batch = frames[0].batch
    file = CardFile.objects.create(batch=batch, path="1.jpg", size=1)
    day = Period(at(26, 10).date(), at(26, 10).date())
    officer = person(Role.OFFICER, place.lake)
    made, _new = kept.ask(kind="megadetector", lake=place.lake, period=day, by=officer)
    kept.go_on(made.pk)
    return {
        "lake": place.lake.slug, "batch": batch.pk, "file": file.pk, "kept_export": made.pk,
    }  # fmt: skip


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """A request of the WSGI application does not end the test's transaction."""
    ends = (request_started, request_finished)
    for signal in ends:
        signal.disconnect(close_old_connections)
    yield
    for signal in ends:
        signal.connect(close_old_connections)


@pytest.fixture
def secrets(known: dict[str, Any]) -> dict[str, str]:
    """A token of each scope, of an officer."""
    officer = person(Role.OFFICER, Lake.objects.get(slug=known["lake"]))
    ends = timezone.now() + timedelta(days=1)
    return {
        scope.value: tokens.make(user=officer, label="t", scope=scope, expires_at=ends)[1]
        for scope in tokens.SCOPES
    }


def test_the_schema_is_valid_and_nothing_in_it_is_guessed(tmp_path: Any) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema"))


def described(secret: str) -> Any:
    headers = {"Authorization": f"Bearer {secret}"}
    return schemathesis.openapi.from_wsgi(reverse("api-schema"), application, headers=headers)


def test_the_schema_holds_every_address_for_programs_and_its_scopes(
    secrets: dict[str, str], known: dict[str, Any]
) -> None:
    raw = described(secrets["figures"]).raw_schema
    found = set()
    for path, operations in raw["paths"].items():
        where = path.replace("{sha256}", "0" * 64)
        for name in ("lake", "kind", "batch", "file", "kept_export"):
            where = where.replace(f"{{{name}}}", "1")
        match = resolve(where)
        for method, said in operations.items():
            found.add((match.view_name, method.upper()))
            right = TABLE[match.view_name][method.upper()]
            right = Action.EXPORT if right == ASKER else right  # and no other person's
            opens = {s.value for s, may in tokens.SCOPES.items() if right in (*may, SIGNED_IN)}
            assert set(said["security"][0]["token"]) == opens, (path, method)
    public = {name for name in TABLE if name.partition(":")[2].startswith("api-")}
    assert found == {(name, method) for name in public for method in TABLE[name]}
    assert {name for name, _method in found} < tokens.ADDRESSES
    assert Action.EXPORT in tokens.SCOPES["frames"]  # type: ignore[index]


def test_a_schema_is_for_those_who_are_let_in(client: Client) -> None:
    answer = client.get(reverse("api-schema"))
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"


def test_every_answer_is_as_the_schema_says(secrets: dict[str, str], known: dict[str, Any]) -> None:
    schema = described(secrets["figures"])
    operations = [each.ok() for each in schema.get_all_operations()]
    assert len(operations) > 10
    for operation in operations:
        scopes = operation.definition.raw["security"][0]["token"]
        hold(operation, secrets[scopes[-1]], known)


def hold(operation: Any, secret: str, known: dict[str, Any]) -> None:
    """Send requests to `operation`, drawn from what the schema says of it; check the answers."""
    drawn = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode))
    statuses = set()

    @seed(7)
    @profile(
        max_examples=2 * EXAMPLES, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=drawn, there=st.integers(0, 5))
    def send(case: Any, there: int) -> None:
        if there:  # else: whatever was drawn
            case.path_parameters |= {
                key: value for key, value in known.items() if key in (case.path_parameters or {})
            }
            if "from" in (case.query or {}):
                case.query |= {"from": "2025-07-26", "to": "2025-07-27"}
        with transaction.atomic():
            answer = case.call(headers={"Authorization": f"Bearer {secret}"})
            transaction.set_rollback(True)
        statuses.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    send()
    assert 200 in statuses or operation.method != "get", operation.path
