"""Sessions that know whose they are, so that people see and end their own."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db.models import QuerySet
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from lacs_web.models import AuditEvent, Session, User

BROWSERS = {"Edg": "Edge", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
SYSTEMS = {
    "Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows",
    "Mac OS": "macOS", "Linux": "Linux",
}  # fmt: skip


class SessionStore(DatabaseStore):
    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row: Session = super().create_model_instance(data)  # type: ignore[assignment]
        row.user_id = int(data["_auth_user_id"]) if "_auth_user_id" in data else None
        row.agent = data.get("agent", "")
        row.started_at = datetime.fromisoformat(data["started"]) if "started" in data else None
        return row


@receiver(user_logged_in)
def _note(sender: Any, request: HttpRequest, **more: Any) -> None:
    request.session["agent"] = agent(request.headers.get("User-Agent", ""))
    request.session["started"] = timezone.now().isoformat()


def agent(said: str) -> str:
    """Browser and system in a word each: "Firefox, Android"; "" where neither is known."""
    browser = next((name for mark, name in BROWSERS.items() if mark in said), "")
    system = next((name for mark, name in SYSTEMS.items() if mark in said), "")
    return ", ".join(filter(None, (browser, system)))


def of(user: User) -> QuerySet[Session]:
    """Where `user` is signed in, the latest first."""
    return Session.objects.filter(user=user, expire_date__gt=timezone.now()).order_by("-started_at")


def public_id(key: str) -> str:
    """Names a session without being one."""
    return hashlib.sha256(key.encode()).hexdigest()[:20]


def end(*, user: User, named: str = "", keep: str | None = None) -> int:
    """End the session of `user` with that public id, or without one all but `keep` (a key)."""
    keys = [
        key
        for key in of(user).values_list("pk", flat=True)
        if (public_id(key) == named if named else key != keep)
    ]
    ended, _ = Session.objects.filter(pk__in=keys).delete()
    if ended:
        AuditEvent.objects.create(user=user, action="sessions ended", detail={"sessions": ended})
    return ended
