"""One's own browsers and one's own end: seen, signed out, deleted."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from annotation.models import Draft, Review, SettledFrame
from annotation.reviewing import submit
from lacs_web import sessions
from lacs_web.models import AuditEvent, Membership, Role, Session, User
from tests.cast import person
from tests.factories import make_deployment, make_frame, make_lake

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0"


@pytest.fixture
def user() -> User:
    return User.objects.create_user("ranger@example.org", "a long and secret word")


def browser(user: User, agent: str = FIREFOX) -> Client:
    client = Client(HTTP_USER_AGENT=agent)
    client.cookies["django_language"] = "en"
    sent = {"username": user.email, "password": "a long and secret word"}
    assert client.post(reverse("signin"), sent).status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get(reverse("account")).status_code == 200


def test_browsers_are_listed_and_one_is_signed_out(user: User) -> None:
    here, other, third = browser(user), browser(user), browser(user)
    page = here.get(reverse("account"))
    assert page.content.decode().count("Firefox, Android") >= 3
    assert str(other.session.session_key) not in page.content.decode()
    named = sessions.public_id(str(other.session.session_key))
    here.post(reverse("account-sessions"), {"session": named})
    assert [is_in(each) for each in (here, other, third)] == [True, False, True]
    here.post(reverse("account-sessions"))
    assert [is_in(each) for each in (here, other, third)] == [True, False, False]
    assert AuditEvent.objects.filter(action="sessions ended", user=user).count() == 2


def test_nobody_ends_another_person_s_session(user: User) -> None:
    other = User.objects.create_user("other@example.org", "a long and secret word")
    mine, theirs = browser(user), browser(other)
    named = sessions.public_id(str(theirs.session.session_key))
    mine.post(reverse("account-sessions"), {"session": named})
    assert is_in(theirs)


def test_a_deleted_account_leaves_anonymous_reviews(user: User) -> None:
    frame = make_frame(make_deployment())
    Membership.objects.create(user=user, role=Role.RANGER, lake=frame.deployment.lake)
    submit(frame=frame, reviewer=user, request_id=uuid.uuid4(), verdict="nobody")
    Draft.objects.create(frame=frame, reviewer=user)
    here, other = browser(user), browser(user)
    wrong = here.post(reverse("account-delete"), {"password": "guessed", "sure": "1"})
    assert wrong.status_code == 400
    assert "not your password" in wrong.content.decode()
    sent = {"password": "a long and secret word"}
    assert "Tick the box" in here.post(reverse("account-delete"), sent).content.decode()
    sent["sure"] = "1"
    gone = here.post(reverse("account-delete"), sent)
    assert gone["Location"] == reverse("signin")
    assert not User.objects.filter(pk=user.pk).exists()
    assert Review.objects.get().reviewer is None
    assert SettledFrame.objects.filter(frame=frame).exists()
    assert not Draft.objects.exists()
    assert not Session.objects.filter(user_id=user.pk).exists()
    assert not is_in(other)
    assert AuditEvent.objects.get(action="account deleted").detail == {"person": user.pk}


def test_the_last_administrator_does_not_leave(user: User) -> None:
    lake = make_lake()
    Membership.objects.create(user=user, role=Role.ADMINISTRATOR, lake=lake)
    here = browser(user)
    sent = {"password": "a long and secret word", "sure": "1"}
    answer = here.post(reverse("account-delete"), sent)
    assert "last administrator of Lauvitel" in answer.content.decode()
    person(Role.ADMINISTRATOR, lake)
    assert here.post(reverse("account-delete"), sent).status_code == 302


def test_the_last_superuser_does_not_leave(user: User) -> None:
    User.objects.update(is_superuser=True)
    sent = {"password": "a long and secret word", "sure": "1"}
    answer = browser(user).post(reverse("account-delete"), sent)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("said", "shown"), [(FIREFOX, "Firefox, Android"), ("", ""), ("curl/8", "")]
)
def test_a_browser_in_a_word(said: str, shown: str) -> None:
    assert sessions.agent(said) == shown
