"""The first page: the lakes that a person may see, and what to do where there is none."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from lacs_web.access import may, may_each
from lacs_web.models import Membership, Role, User
from tests.cast import CAST, member, person
from tests.dashboards.survey import make_survey
from tests.factories import make_lake

pytestmark = pytest.mark.django_db


def test_somebody_sees_their_own_lakes(client: Client) -> None:
    mine, other = make_survey().lake, make_survey(make_lake("second", "other")).lake
    client.force_login(person(Role.VOLUNTEER, mine))
    answer = client.get(reverse("home"))
    (card,) = answer.context["cards"]
    assert card["lake"] == mine
    assert card["seen"].tally.frames_read == 3
    page = answer.content.decode()
    assert other.name not in page
    assert reverse("annotation:review", args=[mine.slug]) in page
    assert reverse("detection:cards", args=[mine.slug]) not in page


def test_the_queries_do_not_grow_with_the_lakes(
    client: Client, django_assert_num_queries: Any
) -> None:
    lake = make_survey().lake
    user = person(Role.OFFICER, lake)
    Membership.objects.create(user=user, role=Role.RANGER, park=lake.park)
    client.force_login(user)
    client.get(reverse("home"))
    for count in (1, 4):
        while lake.park.lakes.count() < count:
            make_survey(make_lake(f"lake-{lake.park.lakes.count()}"))
        client.get(reverse("home"))  # what changed is worked off
        with django_assert_num_queries(7):
            answer = client.get(reverse("home"))
        assert len(answer.context["cards"]) == count
    make_lake("bare")
    with django_assert_num_queries(7):
        assert client.get(reverse("home")).context["cards"][0]["seen"] is None


def test_without_a_lake_it_says_what_to_do(client: Client) -> None:
    client.force_login(User.objects.create_user("stranger@example.org"))
    page = client.get(reverse("home")).content.decode()
    assert "stranger@example.org" in page
    assert reverse("admin:index") not in page
    client.force_login(User.objects.create_superuser("administrator@example.org"))
    answer = client.get(reverse("home")).content.decode()
    assert f'class="btn btn-primary" href="{reverse("admin:index")}"' in answer


@pytest.mark.parametrize("who", CAST)
def test_rights_at_many_lakes_are_those_at_each(who: str) -> None:
    here, there = make_lake(), make_lake("second", "other")
    user = member(who, here)
    if user is None:
        return
    Membership.objects.create(user=user, role=Role.PARTNER, park=there.park)
    each = may_each(user, [here, there])
    assert each == {lake.pk: may(user, lake) for lake in (here, there)}
    assert each[there.pk] == {"read_figures": True}
