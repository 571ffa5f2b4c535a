"""What the editor talks to: claim, frame, draft, review, unmask. JSON in, JSON out.

400 says in words what was wrong with a request; 409 gives the version and boxes that moved on;
410 says that the frame is no longer this reviewer's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.decorators import api_view, authentication_classes, parser_classes
from rest_framework.exceptions import APIException, NotAuthenticated, ParseError
from rest_framework.exceptions import PermissionDenied as Forbidden
from rest_framework.request import Request
from rest_framework.response import Response

from annotation import drafts, parsing, presenting, progress, queue, reviewing, serving
from annotation.models import Draft
from annotation.settling import DECISIVE
from detection import renditions
from detection.models import Frame, Lifting
from lacs_web import api
from lacs_web.access import Action, fetch, lake_for
from lacs_web.models import User


class Session(api.Session):
    """401 also where a page's token died with its session, and where somebody else has signed in
    since the page was opened (X-Person): what still waits on it is not theirs to state. 403 is left
    for who may not.
    """

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        found = super().authenticate(request)
        if found and request.headers.get("X-Person", str(found[0].pk)) != str(found[0].pk):
            raise NotAuthenticated
        return found

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except Forbidden as refusal:
            raise NotAuthenticated(refusal.detail) from None


class Gone(APIException):
    """`code` says why: "unserved", "taken" or "settled"."""

    status_code = 410

    def __init__(self, words: str, code: str) -> None:
        super().__init__({"detail": words, "code": code})


View = Callable[..., Response]


def as_json(method: str) -> Callable[[View], Any]:
    """A view of one method that reads and answers JSON, for the signed in."""

    def wrap(view: View) -> Any:
        wrapped = parser_classes([parsing.PageJSONParser])(view)
        return api_view([method])(authentication_classes([Session])(wrapped))

    return wrap


def _frame(request: Request, frame: int) -> tuple[queue.Desk, Frame]:
    """The frame and the desk of who asks, if they may review at its lake."""
    user = cast("User", request.user)
    found = fetch(
        Frame.objects.filter(quarantine="").select_related("deployment__lake", "purge"),
        user=user,
        action=Action.REVIEW,
        lake="deployment__lake",
        pk=frame,
    )
    return queue.Desk.of(user, found.deployment.lake), found


def _keep(desk: queue.Desk, frame: Frame) -> Draft | None:
    """Hold on to a frame; the draft that it was served as, if it ever was."""
    with _gone():
        return queue.keep(desk, frame).draft


@contextmanager
def _gone() -> Iterator[None]:
    """410 when the frame is no longer this reviewer's to state on."""
    try:
        yield
    except queue.NotServed:
        raise Gone(_("The queue has not given you this frame."), "unserved") from None
    except queue.HeldByAnother:
        raise Gone(_("Somebody else has taken this frame."), "taken") from None
    except queue.SettledByOthers:
        words = _("Another's vote has settled this frame in the meantime.")
        raise Gone(words, "settled") from None


def _conflict(conflict: drafts.Conflict) -> Response:
    draft = conflict.draft
    boxes = presenting.boxes_of([draft])[draft.frame_id]
    words = _("This frame was changed elsewhere, in another tab perhaps.")
    return Response({"detail": words, "version": draft.version, "boxes": boxes}, status=409)


@as_json("POST")
def claim(request: Request, lake: str) -> Response:
    """Up to `want` frames more, of `day` if given; those in `holding` are held on to."""
    user = cast("User", request.user)
    desk = queue.Desk.of(user, lake_for(user, Action.REVIEW, lake))
    asked = parsing.read(parsing.Claim, request)
    frames, served = serving.serve(desk, **asked)
    left = serving.left(desk, asked["day"])
    nothing = asked["want"] > 0 and not frames
    return Response(
        {
            "frames": presenting.present(desk, frames, served),
            "left": left,
            "done_today": queue.done_today(desk),
            "rest": progress.rest(desk, asked["day"], left) if nothing else None,
        }
    )


@as_json("GET")
def round_(request: Request, lake: str) -> Response:
    """What the frames of the last round gave, in sentences; `since` and `precision` from before."""
    user = cast("User", request.user)
    desk = queue.Desk.of(user, lake_for(user, Action.REVIEW, lake))
    asked = parsing.read_query(parsing.Round, request)
    return Response(
        {
            "lines": progress.card(desk, asked["since"], asked["precision"]),
            "now": timezone.now().isoformat(),
            "precision": progress.precision(desk),
        }
    )


@as_json("GET")
def frame(request: Request, frame: int) -> Response:
    """One frame again; it is held on to."""
    desk, found = _frame(request, frame)
    _keep(desk, found)
    served = drafts.serve(frames=[found], reviewer=desk.reviewer)
    return Response(presenting.present(desk, [found], served)[0])


@as_json("PUT")
def draft(request: Request, frame: int) -> Response:
    """Keep the boxes as they stand, over the version last seen."""
    desk, found = _frame(request, frame)
    asked = parsing.read(parsing.DraftWritten, request)
    mine = _keep(desk, found)
    if mine is None:
        mine = drafts.serve(frames=[found], reviewer=desk.reviewer)[found.pk]
    try:
        version = drafts.save(draft=mine, version=asked["version"], boxes=asked["boxes"], open=True)
    except drafts.Conflict as conflict:
        return _conflict(conflict)
    return Response({"version": version})


@as_json("POST")
def reviews(request: Request, frame: int) -> Response:
    """State a review. The same request twice is one review."""
    desk, found = _frame(request, frame)
    asked = parsing.read(parsing.ReviewStated, request)
    if asked["verdict"] in DECISIVE and not _seen(desk, found):
        raise ParseError(
            _("All of this frame is masked: lift the mask first, where that can still be done.")
        )
    try:
        with _gone():
            _review, version = reviewing.decide(desk=desk, frame=found, **asked)
    except drafts.Conflict as conflict:
        return _conflict(conflict)
    except reviewing.ReusedRequest:
        raise ParseError(_("This request was already used for another statement.")) from None
    # Blind: whether the frame is settled would say what others stated, or that it is a check.
    return Response({"version": version, "done_today": queue.done_today(desk)})


@as_json("POST")
def unmask(request: Request, frame: int) -> Response:
    """Lift the mask of a frame for who asks; written to the audit trail."""
    desk, found = _frame(request, frame)
    if not desk.unmasks and not (desk.lifts and queue.holds(found, desk.reviewer)):
        raise PermissionDenied
    if renditions.is_purged(found):
        raise PermissionDenied(presenting.mask_stays())
    renditions.lift(frame=found, user=desk.reviewer)
    return Response({"image": presenting.picture(found.pk, lifted=True)})


def _seen(desk: queue.Desk, frame: Frame) -> bool:
    """Whether there was more to see of the frame than one mosaic."""
    lifted = Lifting.objects.filter(frame=frame, user=desk.reviewer, frame__purge=None)
    return renditions.examined(frame) or lifted.exists()
