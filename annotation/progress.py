"""What somebody's minutes gave, and what is left to do: for the end of a sitting and of a queue.

Blind like the rest: an unseen check counts as done and never as settled, and how well somebody
agrees with others is told of days gone by only, so that no number moves with one frame. Ranks
nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, Sum
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation.models import (
    Dispute,
    Draft,
    Judgement,
    Plan,
    Review,
    SettledFrame,
    VerdictChoice,
)
from annotation.queue import Desk, waiting
from annotation.trust import RIGHT
from detection.models import Frame, RunFrame


@dataclass(frozen=True)
class Done:
    """What one person did at a lake since some moment."""

    frames: int  # stated on, skipped ones left out
    seconds: float  # active ones, skipped frames and second thoughts included
    settled: int  # frames that their word helped to settle, checks left out
    days: list[date]  # local days that their word completed: every frame of them is settled

    @property
    def minutes(self) -> int:
        return max(1, round(self.seconds / 60)) if self.seconds else 0


def done(desk: Desk, since: datetime) -> Done:
    """Four queries."""
    mine = Review.objects.filter(
        reviewer=desk.reviewer, frame__deployment__lake=desk.lake, at__gte=since
    )
    counted = mine.aggregate(
        frames=Count("frame", distinct=True, filter=~Q(verdict=VerdictChoice.SKIP)),
        seconds=Sum("seconds", default=0.0),
    )
    check = Draft.objects.filter(frame=OuterRef("frame"), reviewer=desk.reviewer, check_frame=True)
    settled = SettledFrame.objects.filter(
        ~Exists(check), voices__overlap=list(mine.values_list("pk", flat=True))
    )
    local = TruncDate("frame__captured_at", tzinfo=desk.lake.zone)
    touched = list(settled.annotate(day=local).values_list("day", flat=True))
    return Done(counted["frames"], counted["seconds"], len(touched), _complete(desk, set(touched)))


def _complete(desk: Desk, days: set[date]) -> list[date]:
    """Those of `days` on which no dated frame waits to be settled."""
    if not days:
        return []
    settled = SettledFrame.objects.filter(frame=OuterRef("pk"))
    open_ = (
        Frame.objects.filter(~Exists(settled), deployment__lake=desk.lake, quarantine="", flag="")
        .annotate(day=TruncDate("captured_at", tzinfo=desk.lake.zone))
        .filter(day__in=days)
        .order_by()
    )
    return sorted(days - set(open_.values_list("day", flat=True)))


def precision(desk: Desk) -> float | None:
    """Half the interval of the lake's total, as a share of it; None while it is not known."""
    plan = Plan.objects.filter(lake=desk.lake, total__gt=0).first()
    if plan is None or plan.low is None or plan.high is None or not plan.total:
        return None
    return (plan.high - plan.low) / 2 / plan.total


def card(desk: Desk, since: datetime, was: float | None) -> list[str]:
    """The end card of a sitting, in sentences. `was`: the precision when it began."""
    found = done(desk, since)
    frames = ngettext("%(n)d frame", "%(n)d frames", found.frames) % {"n": found.frames}
    said = [frames]
    if found.minutes:
        said = [
            ngettext("%(frames)s in %(n)d minute.", "%(frames)s in %(n)d minutes.", found.minutes)
            % {"frames": frames, "n": found.minutes}
        ]
    if found.settled:
        said.append(
            ngettext(
                "%(n)d frame is settled with your word.",
                "%(n)d frames are settled with your word.",
                found.settled,
            )
            % {"n": found.settled}
        )
    if found.days:
        said.append(
            _("Every frame of these days is settled now: %(days)s.")
            % {"days": ", ".join(date_format(day, "j F") for day in found.days)}
        )
    now = precision(desk)
    if now is not None:
        if was is not None and now < was - 0.0005:
            said.append(
                _("The total of %(lake)s was known to ±%(was)s %%; now it is to ±%(now)s %%.")
                % {"lake": desk.lake.name, "was": _percent(was), "now": _percent(now)}
            )
        else:
            said.append(
                _("The total of %(lake)s is known to ±%(now)s %%.")
                % {"lake": desk.lake.name, "now": _percent(now)}
            )
    share = agreement(desk)
    if share is not None:
        said.append(
            _("Until yesterday %(share)s %% of your answers agreed with what others settled.")
            % {"share": _percent(share)}
        )
    return said


def agreement(desk: Desk) -> float | None:
    """Share of right answers up to last midnight at the lake; None below ten answers."""
    today = timezone.now().astimezone(desk.lake.zone).date()
    midnight = datetime.combine(today, time(), desk.lake.zone)
    rows = Judgement.objects.filter(
        reviewer=desk.reviewer, review__frame__deployment__lake=desk.lake, review__at__lt=midnight
    ).values_list("answers", flat=True)
    answers = [answer for row in rows for answer in row.values()]
    return answers.count(RIGHT) / len(answers) if len(answers) >= 10 else None


def rest(desk: Desk, day: date | None, left: int) -> dict[str, str]:
    """Why no frame was served, truly, and what to do next: {"title", "text", "url", "action"}.

    Three queries at most.
    """
    review = reverse("annotation:review", args=[desk.lake.slug])
    if left:
        return {
            "title": _("Nothing for you just now"),
            "text": ngettext(
                "The frame that is left is with somebody else. Look again in ten minutes: what "
                "they do not finish comes back.",
                "The %(n)d frames that are left are with other people. Look again in ten minutes: "
                "what they do not finish comes back.",
                left,
            )
            % {"n": left},
        }
    if day is not None and (others := waiting(desk).count()):
        return {
            "title": _("Nothing is left to check on this day"),
            "text": ngettext(
                "%(n)d frame of another day waits for you.",
                "%(n)d frames of other days wait for you.",
                others,
            )
            % {"n": others},
            "url": review,
            "action": _("Go on with the other days"),
        }
    return _why(desk)


def _why(desk: Desk) -> dict[str, str]:
    settled = SettledFrame.objects.filter(frame=OuterRef("pk"))
    seen = RunFrame.objects.showing().filter(frame=OuterRef("pk"))
    dispute = Dispute.objects.filter(frame=OuterRef("pk"))
    unread = ~Q(Exists(seen))
    disputed = Q(Exists(dispute))
    counts = Frame.objects.filter(
        ~Exists(settled), deployment__lake=desk.lake, quarantine=""
    ).aggregate(
        unread=Count("pk", filter=unread),
        disputed=Count("pk", filter=disputed & ~unread),
        second=Count("pk", filter=~disputed & ~unread),
    )
    title = _("Nothing is left to check for you")
    home = {
        "url": reverse("dashboards:lake", args=[desk.lake.slug]),
        "action": _("See the figures"),
    }
    reasons = []
    if counts["second"]:
        reasons.append(
            ngettext(
                "%(n)d frame waits for another person’s word or comes back to you later.",
                "%(n)d frames wait for another person’s word or come back to you later.",
                counts["second"],
            )
            % {"n": counts["second"]}
        )
    if counts["disputed"] and not desk.settles:
        reasons.append(
            ngettext(
                "%(n)d frame waits for the ranger to decide.",
                "%(n)d frames wait for the ranger to decide.",
                counts["disputed"],
            )
            % {"n": counts["disputed"]}
        )
    if counts["unread"] and not desk.unmasks:
        reasons.append(
            ngettext(
                "%(n)d frame waits for the detector, which masks people first; come back later.",
                "%(n)d frames wait for the detector, which masks people first; come back later.",
                counts["unread"],
            )
            % {"n": counts["unread"]}
        )
    if not reasons:
        if not Frame.objects.filter(deployment__lake=desk.lake, quarantine="").exists():
            text = _("No dated picture has come from this lake yet. Come back after the next card.")
            return {"title": _("Nothing to check yet"), "text": text, **home}
        text = _("Every frame of this lake is settled. Thank you! See what it has become.")
        return {"title": _("Everything is checked"), "text": text, **home}
    return {"title": title, "text": " ".join(reasons), **home}


def _percent(share: float) -> Any:
    return number_format(round(100 * share, 1 if share < 0.1 else 0), 1 if share < 0.1 else 0)
