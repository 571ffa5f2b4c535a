"""Shared links: what they show, to whom, for how long, and that nothing else leaks through them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dashboards import rollups, sharing
from dashboards.models import Change, DayFigures
from dashboards.sharing import make
from detection.models import Deployment
from lacs_web.models import AuditEvent, Lake, Membership, Role, SharedLink, User
from tests.cast import person
from tests.dashboards.survey import FIRST, LAST, at, make_survey
from tests.factories import make_frame, make_lake

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]


@pytest.fixture
def lake() -> Lake:
    return make_survey().lake


@pytest.fixture
def officer(lake: Lake) -> User:
    return person(Role.OFFICER, lake)


def path(address: str) -> str:
    return address[address.index("/shared/") :]


def test_a_partner_reads_the_figures_without_an_account(
    client: Client, lake: Lake, officer: User, django_assert_num_queries: Any
) -> None:
    link, address = make(lake=lake, label="GIS", by=officer)
    assert not DayFigures.objects.exists()
    period = {"from": str(FIRST), "to": str(LAST)}
    with django_assert_num_queries(28):  # the first read makes what is kept, for it is little
        first = client.get(path(address), period)
    with django_assert_num_queries(11):
        answer = client.get(path(address), period)
    assert answer.context["figures"] == first.context["figures"]
    assert answer.context["figures"]["validated_person_hours"] == 1.5
    assert answer["X-Robots-Tag"].startswith("noindex")
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer["Cache-Control"]
    assert not answer.cookies
    link.refresh_from_db()
    assert link.uses == 2
    assert link.used_at


def test_a_first_read_never_makes_much_anew(
    client: Client, lake: Lake, officer: User, monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: Any,
) -> None:  # fmt: skip
    """What takes long is left to the workers: the page shows what is kept and says what is owed."""
    _, address = make(lake=lake, label="GIS", by=officer)
    period = {"from": str(FIRST), "to": str(LAST)}
    client.get(path(address), period)
    monkeypatch.setattr(rollups, "AT_ONCE", 3)
    for hour in range(8, 12):
        make_frame(Deployment.objects.get(), at(28, hour))
    with django_assert_num_queries(12):  # one counts what is owed
        answer = client.get(path(address), period)
    assert not answer.context["figures"]["in_step"]
    assert (
        "being counted"
        in client.get(path(address), period | {"language": "en"}, follow=True).content.decode()
    )
    assert not DayFigures.objects.filter(day=date(2025, 7, 28)).exists()
    assert Change.objects.exists()


def test_no_door_leads_out_of_a_shared_page(lake: Lake, officer: User) -> None:
    _, address = make(lake=lake, label="GIS", by=officer)
    client = Client()
    client.force_login(officer)  # not even for somebody who may more
    page = client.get(path(address)).content.decode()
    for door in ("/lakes/", "/signin", "/account", "csrf", '<img src="/frames', officer.email):
        assert door not in page, door
    assert "GIS" not in page


def test_the_secret_is_stored_nowhere(lake: Lake, officer: User) -> None:
    link, address = make(lake=lake, label="GIS", by=officer)
    secret = address.rstrip("/").rpartition("/")[2]
    assert len(secret) == 43
    assert secret not in str(SharedLink.objects.values().get(pk=link.pk))
    assert secret not in str(list(AuditEvent.objects.values()))


def test_it_opens_nothing_once_ended_or_run_out(client: Client, lake: Lake, officer: User) -> None:
    link, address = make(lake=lake, label="GIS", by=officer)
    short, passing = make(
        lake=lake, label="short", by=officer, expires_at=timezone.now() + timedelta(hours=1)
    )
    assert client.get(path(passing)).status_code == 200
    sharing.end(link=link, by=officer)
    sharing.end(link=link, by=officer)
    SharedLink.objects.filter(pk=short.pk).update(expires_at=timezone.now())
    for gone in (path(address), path(passing), "/shared/never-was/"):
        answer = client.get(gone)
        assert answer.status_code == 404
        assert "Demandez" in answer.content.decode() or "Ask" in answer.content.decode()
        assert answer["X-Robots-Tag"].startswith("noindex")
        assert lake.name not in answer.content.decode()
    link.refresh_from_db()
    assert link.uses == 0
    actions = list(AuditEvent.objects.filter(lake=lake).values_list("action", flat=True))
    assert actions.count("figures shared") == 2
    assert actions.count("figures no longer shared") == 1


def test_its_period_cannot_be_left(client: Client, lake: Lake, officer: User) -> None:
    _, address = make(lake=lake, label="one day", by=officer, first=FIRST, last=FIRST)
    others = {"from": "2025-07-26", "to": str(LAST)}
    for query in (
        {"from": str(FIRST), "to": str(LAST)},
        {"period": "all"},
        others,
        {"from": "x"},
        {},
    ):
        context = client.get(path(address), query).context
        assert context["period"].first == context["period"].last == FIRST, query
        assert context["figures"]["years"] == []
    _, address = make(lake=lake, label="before", by=officer, last=FIRST - timedelta(days=1))
    assert "observed" not in client.get(path(address)).context


def test_a_link_that_could_show_nothing_is_refused(lake: Lake, officer: User) -> None:
    with pytest.raises(ValidationError):
        make(lake=lake, label="GIS", by=officer, expires_at=timezone.now())
    with pytest.raises(ValidationError):
        make(lake=lake, label="GIS", by=officer, first=LAST, last=FIRST)
    assert not SharedLink.objects.exists()


def test_the_page_of_links(
    client: Client, lake: Lake, officer: User, django_assert_num_queries: Any
) -> None:
    client.force_login(officer)
    where = reverse("dashboards:links", args=[lake.slug])
    refused = client.post(where, {"label": "", "expires": "2001-01-01"})
    assert not SharedLink.objects.exists()
    assert refused.context["form"].errors
    refused = client.post(where, {"label": "GIS", "expires": "2001-01-01"})
    assert refused.context["form"].errors["expires"]
    day = timezone.now().astimezone(lake.zone).date()
    made = client.post(where, {"label": "GIS", "expires": day}).context["made"]
    link = SharedLink.objects.get()
    assert link.expires_at
    assert link.expires_at.astimezone(lake.zone).date() == day + timedelta(days=1)
    assert client.get(path(made)).status_code == 200
    for count in (1, 4):
        while SharedLink.objects.count() < count:
            make(lake=lake, label="more", by=officer)
        with django_assert_num_queries(7):
            client.get(where)
    assert made not in client.get(where).content.decode()
    client.post(reverse("dashboards:link-end", args=[lake.slug, link.pk]))
    assert client.get(path(made)).status_code == 404


def test_a_language_is_chosen_by_a_link(client: Client, lake: Lake, officer: User) -> None:
    _, address = make(lake=lake, label="GIS", by=officer)
    answer = client.get(path(address), {"language": "it"}, follow=True)
    assert 'lang="it"' in answer.content.decode()[:200]


def test_only_the_sites_that_are_named_may_frame_it(
    client: Client, lake: Lake, officer: User
) -> None:
    _, plain = make(lake=lake, label="GIS", by=officer)
    answer = client.get(path(plain))
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "DENY"
    sites = "https://www.gis.example/news/ lakes.example:8443 https://WWW.gis.example"
    link, framed = make(lake=lake, label="GIS", by=officer, framed_by=sites)
    assert link.framed_by == "https://www.gis.example https://lakes.example:8443"
    answer = client.get(path(framed))
    policy = answer["Content-Security-Policy"]
    assert f"frame-ancestors {link.framed_by}" in policy
    assert policy.count("frame-ancestors") == 1
    assert "script-src 'self'" in policy
    assert "X-Frame-Options" not in answer
    # A frame keeps no cookie: the language is in the address.
    answer = client.get(path(framed), {"language": "it"}, headers={"Sec-Fetch-Dest": "iframe"})
    assert answer.status_code == 200
    assert 'lang="it"' in answer.content.decode()[:200]
    assert not answer.cookies


@pytest.mark.parametrize(
    "site", ["http://plain.example", "javascript:x", "https://a.example;script-src", "https://",
             "*", "https://*.example", "https://x.example:port"],
)  # fmt: skip
def test_what_is_no_site_frames_nothing(lake: Lake, officer: User, site: str) -> None:
    with pytest.raises(ValidationError, match="no address of a site"):
        make(lake=lake, label="GIS", by=officer, framed_by=site)
    assert not SharedLink.objects.exists()


def test_the_code_of_a_frame_is_shown_once(client: Client, lake: Lake, officer: User) -> None:
    client.force_login(officer)
    where = reverse("dashboards:links", args=[lake.slug])
    answer = client.post(where, {"label": "GIS", "framed_by": "https://www.gis.example"})
    made = answer.context["made"]
    assert f"&lt;iframe src=&quot;{made}&quot;" in answer.content.decode()
    assert "iframe" not in client.get(where).content.decode()
    refused = client.post(where, {"label": "GIS", "framed_by": "nothing at all!"})
    assert refused.context["form"].errors["framed_by"]


def test_a_link_of_several_lakes_shows_them_and_no_other(
    client: Client, lake: Lake, officer: User
) -> None:
    second = make_survey(make_lake("second")).lake
    foreign = make_survey(make_lake("foreign", "other")).lake
    Membership.objects.create(user=officer, role=Role.OFFICER, lake=second)
    client.force_login(officer)
    where = reverse("dashboards:links", args=[lake.slug])
    refused = client.post(where, {"label": "GIS", "beside": [foreign.pk]})
    assert refused.context["form"].errors["beside"]  # no lake of hers
    made = path(client.post(where, {"label": "GIS", "beside": [second.pk]}).context["made"])
    assert list(SharedLink.objects.get().beside.all()) == [second]
    reader = Client()
    first = reader.get(made)
    assert first.context["lake"] == lake
    assert f'href="{made}second/"' in first.content.decode()
    other = reader.get(f"{made}second/", {"from": str(FIRST), "to": str(LAST)})
    assert other.context["lake"] == second
    assert other.context["figures"]["lake"] == "second"
    assert reader.get(f"{made}{lake.slug}/").context["lake"] == lake
    for unknown in (foreign.slug, "nowhere"):
        assert reader.get(f"{made}{unknown}/").status_code == 404
    answer = reader.get(f"{made}second/", {"language": "it"}, follow=True)
    assert answer.context["lake"] == second
    # Who answers for the other lake sees that it is shared, and where to end it.
    assert "GIS" in client.get(reverse("dashboards:links", args=["second"])).content.decode()
    event = AuditEvent.objects.get(action="figures shared")
    assert event.detail["lakes beside"] == ["second"]
    client.post(reverse("dashboards:link-end", args=[lake.slug, SharedLink.objects.get().pk]))
    assert reader.get(f"{made}second/").status_code == 404
