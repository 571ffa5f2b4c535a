"""Practice on drawn pictures: what each lesson shows, and what an answer to it is worth.

The pictures come from our own drawn lake (detection/scenes), so that the truth is known and nobody
real is on them. Nothing is stored: no review, no draft, no minute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import simplejpeg
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from annotation import trust
from annotation.models import LabelChoice
from annotation.settling import Mark, Rule, Statement
from detection.labels import Activity, Label, Verdict
from detection.scenes.model import Moment, Pose, Thing, TruthBox, View
from detection.scenes.render import render

VIEW = View(1280, 960, seed=3)
_NOON = datetime(2025, 7, 26, 12, 5)  # noqa: DTZ001  # the drawn camera's own clock
_REST, _BATHE, _WALK = Activity.RESTING, Activity.BATHING, Activity.WALKING


@dataclass(frozen=True)
class Lesson:
    """`missed`: places of the things that the machine overlooks; `called`: what it takes some for;
    `false`: a box of nobody.
    """

    words: Any  # what it teaches, lazily translated
    moment: Moment
    things: tuple[Thing, ...] = ()
    missed: tuple[int, ...] = ()
    called: Mapping[int, Label] = field(default_factory=dict)  # place → label
    false: tuple[float, float, float, float] | None = None


def _person(x: float, y: float, does: Activity, pose: Pose = Pose.STAND, look: int = 0) -> Thing:
    return Thing(Label.PERSON, x, y, does, pose, look)


LESSONS = (
    Lesson(
        gettext_lazy("The boxes were right: Enter says so and shows the next frame."),
        Moment(_NOON),
        (_person(0.45, 0.86, _REST, Pose.SIT, 2), _person(0.56, 0.84, _WALK, Pose.WALK, 5)),
    ),
    Lesson(
        gettext_lazy("Nobody is here: E says so. Most frames of a lake are empty."),
        Moment(_NOON.replace(hour=7), cloud=0.7),
    ),
    Lesson(
        gettext_lazy(
            "The machine overlooked somebody. Draw a box around each person: drag on the picture, "
            "or press N first."
        ),
        Moment(_NOON.replace(hour=15)),
        (_person(0.40, 0.88, _REST, Pose.SIT, 3), _person(0.66, 0.80, _WALK, Pose.STAND, 6)),
        missed=(1,),
    ),
    Lesson(
        gettext_lazy(
            "That was a stone. Select a wrong box and press Del; then say that nobody is here."
        ),
        Moment(_NOON.replace(hour=10), cloud=0.5),
        false=(0.700, 0.705, 0.03, 0.078),
    ),
    Lesson(
        gettext_lazy(
            "A tent is no person: select a box, then choose its class with the digits 1 to 9."
        ),
        Moment(_NOON.replace(hour=19), cloud=0.2),
        (Thing(Label.TENT, 0.35, 0.90, look=1), _person(0.48, 0.88, Activity.BIVOUAC, Pose.SIT, 4)),
    ),
    Lesson(
        gettext_lazy("In such fog nobody can tell: U says “unreadable”. That is not “nobody”."),
        Moment(_NOON.replace(hour=6), fog=0.95),
    ),
    Lesson(
        gettext_lazy(
            "People far away are a few pixels high. Zoom with the wheel, two fingers or + before "
            "you say that nobody is there; Shift+N puts a box without dragging."
        ),
        Moment(_NOON.replace(hour=11), cloud=0.4),
        (_person(0.52, 0.84, _WALK, Pose.WALK, 1), _person(0.135, 0.55, _WALK, Pose.STAND, 7)),
        missed=(1,),
    ),
    Lesson(
        gettext_lazy(
            "An animal is no person: select the box, then press the digit of its class. Each "
            "animal has a box of its own."
        ),
        Moment(_NOON.replace(hour=17), cloud=0.1),
        (Thing(Label.DOG, 0.44, 0.90, look=2), _person(0.50, 0.89, _WALK, Pose.WALK, 8)),
        called={0: Label.PERSON},
    ),
    Lesson(
        gettext_lazy(
            "Of who bathes often only the head shows: it is a person all the same. Shift and a "
            "digit say what somebody does; bathing is counted on its own."
        ),
        Moment(_NOON.replace(hour=14), ripple=0.2),
        (_person(0.55, 0.66, _BATHE, Pose.SWIM, 3), _person(0.38, 0.88, _REST, Pose.LIE, 4)),
        missed=(0,),
    ),
    Lesson(
        gettext_lazy(
            "Two boxes lay on one person, who would have been counted twice: delete one of them. "
            "A click at the same place goes to the box below."
        ),
        Moment(_NOON.replace(hour=16), cloud=0.3),
        (_person(0.46, 0.90, _REST, Pose.STAND, 9),),
        false=(0.446, 0.830, 0.026, 0.062),
    ),
)


def picture(number: int) -> bytes:
    """The JPEG of a lesson."""
    return _drawn(number)[0]


def truth(number: int) -> Statement:
    boxes, readable = _drawn(number)[1:]
    verdict = Verdict.BOXES if readable else Verdict.UNREADABLE
    return Statement(0, verdict.value, marks=_marks(boxes))


def suggestions(number: int) -> list[dict[str, Any]]:
    """What the machine would say of it, as the editor holds boxes."""
    lesson = LESSONS[number - 1]
    places = [
        (lesson.called.get(place, box.label).value, box.x, box.y, box.w, box.h)
        for place, box in enumerate(_drawn(number)[1])
        if place not in lesson.missed
    ]
    if lesson.false:
        places.append((Label.PERSON.value, *lesson.false))
    return [
        {
            "key": f"d{place}", "label": label, "activity": "", "score": 0.7, "detection": place,
            "source_class": label, "x": x, "y": y, "w": w, "h": h,
        }
        for place, (label, x, y, w, h) in enumerate(places, 1)
    ]  # fmt: skip


def lesson(number: int, picture_url: str) -> dict[str, Any]:
    """As the editor takes a frame (presenting.py)."""
    moment = LESSONS[number - 1].moment.at
    return {
        "id": number,
        "version": 0,
        "boxes": suggestions(number),
        "image": picture_url,
        "masked": False,
        "unmask_url": "",
        "mask_stays": "",
        "previous": None,
        "width": VIEW.width,
        "height": VIEW.height,
        "captured_at": moment.isoformat(),
        "day_label": _("Practice"),
        "time_label": f"{moment:%H:%M}",
        "deployment": _("Drawn lake"),
        "place": -number,  # nothing that is learnt holds for another lesson
        "night": "",
        "doubt": "",
        "machine": "done",
    }


def answer(number: int, verdict: str, boxes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """{"right": …, "text": …}: how a statement compares with what was drawn, and what to learn."""
    if verdict not in (Verdict.BOXES, Verdict.NOBODY, Verdict.UNREADABLE):
        return {"right": False, "text": _("Skipped, as you may with any frame.")}
    real = truth(number)
    said = Statement(1, verdict, marks=_marks(boxes, lambda box: box.get))
    unreadable = Verdict.UNREADABLE.value
    if unreadable in (verdict, real.verdict):
        right = verdict == real.verdict
    else:
        right = set(trust.compare(said, real, Rule()).values()) == {trust.RIGHT}
    opening = _("Right.") if right else _("Not quite.")
    shown = _there(real)
    return {"right": right, "text": f"{opening} {shown} {LESSONS[number - 1].words}"}


def _there(real: Statement) -> str:
    if real.verdict == Verdict.UNREADABLE:
        return _("Nothing can be made out.")
    labels = [mark.label for mark in real.marks]
    if not labels:
        return _("Nobody is there.")
    counted = ", ".join(
        f"{labels.count(label)} × {LabelChoice(label).label}" for label in dict.fromkeys(labels)
    )
    return ngettext("There is %(what)s.", "There are %(what)s.", len(labels)) % {"what": counted}


def _marks(
    boxes: Sequence[Any], reader: Callable[[Any], Callable[[str], Any]] | None = None
) -> tuple[Mark, ...]:
    """Boxes as fractions, of objects or of dicts, in pixels."""
    found = []
    for box in boxes:
        get = reader(box) if reader else lambda name, box=box: getattr(box, name)
        sides = (get("x") * VIEW.width, get("y") * VIEW.height)
        size = (get("w") * VIEW.width, get("h") * VIEW.height)
        found.append(Mark(str(get("label")), *sides, *size))
    return tuple(found)


@lru_cache(maxsize=len(LESSONS))
def _drawn(number: int) -> tuple[bytes, list[TruthBox], bool]:
    """JPEG, boxes and readability of a lesson; the first in a process takes a second or two."""
    given = LESSONS[number - 1]
    scene = render(VIEW, given.moment, given.things)
    jpeg = simplejpeg.encode_jpeg(scene.image, quality=85, colorspace="RGB")
    return jpeg, scene.boxes, scene.readable
