"""What people of another tool counted becomes reviews, one file at a time, and can be taken back.

All or nothing; a preview goes the same way and writes nothing. Frames on which somebody here has
spoken are left alone. What comes in was chosen by hand elsewhere: it counts exactly, and its frames
leave the sample until it is taken back (docs/decisions/0013).
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from annotation import resettling
from annotation.elsewhere import camtrap, coco, timelapse, yolo
from annotation.elsewhere.files import Source
from annotation.elsewhere.said import File, Said, Words, meanings, storable
from annotation.models import (
    ActivityChoice,
    Import,
    LabelChoice,
    Review,
    ReviewBox,
    ReviewCount,
)
from annotation.opinions import opinions, rule_of
from annotation.settling import DECISIVE
from detection import importing as detections
from detection.cards import vault
from detection.labels import Label, Verdict
from detection.megadetector import Refused, parts
from detection.models import Deployment, Frame
from lacs_web.models import AuditEvent, Lake, User

CHUNK = 500  # frames
NAMED = 5  # of what does not fit
DEEPEST, LONGEST = 64, 255  # folders and characters of a name
SECOND = 1.0  # by which two programs may write one moment
SHAPE = 0.03  # by which width ÷ height of a picture and of its frame may differ
Kind = Import.Kind
T = TypeVar("T")


@dataclass(frozen=True)
class Asked:
    """A file at `path`, called `name`, and what its words mean (said.meanings)."""

    lake: Lake
    kind: str
    path: Path
    name: str
    words: str = ""
    empty_is_nobody: bool = False
    deployment: Deployment | None = None  # only its frames

    @property
    def settings(self) -> dict[str, object]:
        return {
            "words": self.words,
            "empty_is_nobody": self.empty_is_nobody,
            "deployment": self.deployment.slug if self.deployment else "",
        }


@dataclass
class Report:
    """What a file says of a lake's frames, and what of it does not fit."""

    file: str
    sha256: str
    kind: str
    frames: int = 0  # of the lake, or of the deployment
    pictures: int = 0  # of which the file says something
    passed: Counter[str] = field(default_factory=Counter)
    taken: list[tuple[int, Said]] = field(default_factory=list)  # frame id, what is said of it
    unmatched: list[str] = field(default_factory=list)
    other_time: list[str] = field(default_factory=list)
    spoken: list[str] = field(default_factory=list)  # of which somebody here has spoken
    ambiguous: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    reshaped: list[str] = field(default_factory=list)
    known: Import | None = None  # by which this very file came in before
    made: Import | None = None

    @property
    def refusal(self) -> Refused | None:
        """Why it is not brought in, if so."""
        if self.known:
            return Refused("known", when=date_format(timezone.localtime(self.known.at)))
        for why in ("ambiguous", "twice", "reshaped"):
            found: list[str] = getattr(self, why)
            if found:
                return Refused(why, n=len(found), first=found[0])
        if self.taken:
            return None
        if self.spoken:
            return Refused("spoken", n=len(self.spoken))
        if not self.pictures:
            return Refused("silent")
        return Refused("nothing", first=(self.other_time + self.unmatched)[0])

    @property
    def verdicts(self) -> Counter[str]:
        return Counter(said.verdict.value for _pk, said in self.taken)

    @property
    def kinds(self) -> list[tuple[str, str, int]]:
        """(label, activity, how many), the most first."""
        sums: Counter[tuple[str, str]] = Counter()
        for _pk, said in self.taken:
            if said.readable:
                sums.update((box.label, box.activity) for box in said.boxes)
                sums.update(said.counts)
        return [(label, activity, n) for (label, activity), n in sums.most_common()]

    @property
    def without_boxes(self) -> bool:
        """Whether persons come whose place on the picture nobody knows."""
        return any(
            label == Label.PERSON for _pk, said in self.taken for label, _activity in said.counts
        )

    @property
    def reasons(self) -> list[tuple[str, int, list[str]]]:
        """(what is not brought in, how much, first names), in words."""
        listed = (
            (_("of frames that were checked here: left as they are"), self.spoken),
            (_("of no frame here"), self.unmatched),
            (_("of a frame of this name, taken at another time"), self.other_time),
            (_("of one of several frames"), self.ambiguous),
            (_("of a frame named before"), self.twice),
            (_("of another shape than their frame"), self.reshaped),
        )
        found = [(words, len(each), each[:NAMED]) for words, each in listed if each]
        return found + [(passed()[why], n, []) for why, n in sorted(self.passed.items())]


def preview(asked: Asked) -> Report:
    """What `bring_in` would bring in; raises Refused where the file cannot be read as its kind."""
    report, file = _read(asked)
    report.known = _known(report, asked.lake)
    _match(report, asked, file)
    return report


@transaction.atomic
def bring_in(asked: Asked, user: User | None) -> Report:
    """Raises Refused, with nothing written."""
    resettling.hold_rule(asked.lake.pk)
    Lake.objects.select_for_update(no_key=True).get(pk=asked.lake.pk)  # one file at a time
    report, file = _read(asked)
    report.known = _known(report, asked.lake)
    _match(report, asked, file, lock=True)
    if report.refusal:
        raise report.refusal
    report.made = Import.objects.create(
        lake=asked.lake, kind=asked.kind, file=report.file, sha256=report.sha256,
        settings=asked.settings, frames=len(report.taken), by=user,
    )  # fmt: skip
    for chunk in _chunks(report.taken):
        _store(report.made, chunk)
    _settle(report.made)
    _write_down("reviews imported", report.made, user)
    return report


@transaction.atomic
def take_back(one: Import, user: User | None) -> None:
    """Its words count no more, nor its frames as chosen by hand; harmless when repeated."""
    resettling.hold_rule(one.lake_id)
    Lake.objects.select_for_update(no_key=True).get(pk=one.lake_id)
    one = Import.objects.select_related("lake").get(pk=one.pk)
    if one.undone_at is not None:
        return
    one.undone_at, one.undone_by = timezone.now(), user
    one.save(update_fields=["undone_at", "undone_by"])
    _settle(one)
    _write_down("reviews taken back", one, user)


def _write_down(action: str, one: Import, user: User | None) -> None:
    AuditEvent.objects.create(
        user=user,
        lake=one.lake,
        action=action,
        detail={"format": one.kind, "name": one.file, "file": one.sha256, "frames": one.frames},
    )


def _known(report: Report, lake: Lake) -> Import | None:
    return Import.objects.filter(lake=lake, sha256=report.sha256, undone_at=None).first()


def _read(asked: Asked) -> tuple[Report, File]:
    if asked.path.stat().st_size > settings.IMPORT_MAX_BYTES:
        raise Refused("large")
    words = Words(meanings(asked.words), known_words())
    report = Report(storable(asked.name), vault.digest_of(asked.path), asked.kind)
    with Source(asked.path) as source:
        if asked.kind == Kind.CAMTRAP:
            file = camtrap.read(source, words)
        elif asked.kind == Kind.TIMELAPSE:
            file = timelapse.read(source, words)
        else:
            module = coco if asked.kind == Kind.COCO else yolo
            file = module.read(source, words, empty_is_nobody=asked.empty_is_nobody)
    report.pictures, report.passed = len(file.pictures), file.passed
    return report, file


def known_words() -> dict[str, str]:
    """Our own words for classes and activities, in each language, as said.Words takes them."""
    found: dict[str, str] = {}
    for code, _name in settings.LANGUAGES:
        with override(code):
            for value, label in ActivityChoice.choices:
                if value != ActivityChoice.UNKNOWN:
                    found[str(label).casefold()] = f"{Label.PERSON.value}/{value}"
                    found[value] = f"{Label.PERSON.value}/{value}"
            for value, label in LabelChoice.choices:
                found[str(label).casefold()] = found[value] = value
    return found


def _match(report: Report, asked: Asked, file: File, *, lock: bool = False) -> None:
    """Which frame each picture is; `report` is told all."""
    places = _Places(asked.lake, asked.deployment)
    report.frames = len(places.rows)
    taken: dict[int, Said] = {}
    for said in file.pictures:
        rows, timely = places.find(said)
        name = storable(said.names[0])
        if not timely:
            (report.other_time if rows else report.unmatched).append(name)
        elif len(timely) > 1:
            report.ambiguous.append(name)
        elif timely[0].pk in taken:
            report.twice.append(name)
        elif not _same_shape(timely[0], said):
            report.reshaped.append(name)
        else:
            taken[timely[0].pk] = said
    for chunk in _chunks(sorted(taken)):
        if lock:  # no review comes in between: stating one locks its frame too
            frames = Frame.objects.filter(pk__in=chunk).order_by("pk")
            list(frames.select_for_update(of=("self",), no_key=True).values_list("pk"))
        words = Review.objects.standing().filter(frame__in=chunk)
        decided = Q(verdict__in=DECISIVE) | Q(verdict=Verdict.FLAG) | Q(imported_from__isnull=False)
        spoken = set(words.filter(decided).values_list("frame", flat=True))
        for pk in chunk:
            if pk in spoken:
                report.spoken.append(storable(taken[pk].names[0]))
            else:
                report.taken.append((pk, taken[pk]))


@dataclass(frozen=True, slots=True)
class _Place:
    pk: int
    clock_at: datetime | None
    captured_at: datetime
    deployment: str
    width: int
    height: int


class _Places:
    """Dated frames of a lake by their SHA-256, and by where they lay on their cards."""

    def __init__(self, lake: Lake, deployment: Deployment | None) -> None:
        self._zone = lake.zone
        found = Frame.objects.filter(deployment__lake=lake, quarantine="").order_by()
        found = found.exclude(flag=Frame.Flag.ERASED)
        if deployment is not None:
            found = found.filter(deployment=deployment)
        self.rows: list[_Place] = []
        self._by_digest: dict[str, _Place] = {}
        self._whole: dict[tuple[str, ...], list[_Place]] = {}
        self._ends: dict[tuple[str, ...], list[_Place]] = {}
        columns = ("clock_at", "captured_at", "deployment__slug", "width", "height")
        for digest, path, *row in found.values_list("sha256", "path", "pk", *columns).iterator():
            place = _Place(*row)
            self.rows.append(place)
            self._by_digest[digest] = place
            self._whole.setdefault(_stem(path), []).append(place)
        self._slugs = {place.deployment for place in self.rows}

    def find(self, said: Said) -> tuple[Sequence[_Place], Sequence[_Place]]:
        """Frames that the picture may be, and those of them that were taken when it says."""
        place = self._by_digest.get(said.sha256)
        if place is not None:
            return [place], [place]
        if said.sha256:  # it names a picture by its bytes: of another name it would be another
            return [], []
        # Where the time is told too, a name without its folders is enough.
        bare = tuple(name for name in said.names[:1] if said.at is not None)
        for where in (*map(_stem, said.names), *(_stem(name)[-1:] for name in bare)):
            if len(where) > DEEPEST or any(len(each) > LONGEST for each in where):
                continue  # no file of a card is called so
            rows = self._at(where)
            if rows:
                return rows, [row for row in rows if self._is_timely(row, said.at)]
        return [], []

    def _at(self, where: tuple[str, ...]) -> list[_Place]:
        """As importing of detections finds images: without folders that only the file has before
        it, or with those that only the card has. The first may be a deployment's short name. Label
        Studio writes eight digits before a name.
        """
        if len(where) > 1 and where[0] in self._slugs:
            mine = [row for row in self._at(where[1:]) if row.deployment == where[0]]
            if mine:
                return mine
        for start in range(len(where)):
            if found := self._whole.get(where[start:]):
                return found
        if not self._ends:
            for path, rows in self._whole.items():
                for start in range(1, len(path)):
                    self._ends.setdefault(path[start:], []).extend(rows)
        if found := self._ends.get(where):
            return found
        if where and len(where[-1]) > 9 and where[-1][8] == "-" and _is_hex(where[-1][:8]):
            return self._at((where[-1][9:],))
        return []

    def _is_timely(self, row: _Place, at: datetime | None) -> bool:
        if at is None:
            return True
        if at.tzinfo is not None:
            return abs((at - row.captured_at).total_seconds()) <= SECOND
        local = row.captured_at.astimezone(self._zone).replace(tzinfo=None)
        clocks = [local] + ([row.clock_at.replace(tzinfo=None)] if row.clock_at else [])
        return any(abs((at - clock).total_seconds()) <= SECOND for clock in clocks)


def _is_hex(text: str) -> bool:
    return all(each in "0123456789abcdef" for each in text)


def _stem(path: str) -> tuple[str, ...]:
    """Folders and name without its extension: texts of boxes have another."""
    found = parts(path)
    if not found:
        return ()
    stem, dot, extension = found[-1].rpartition(".")
    return (*found[:-1], stem if dot and extension.isalnum() else found[-1])


def _chunks(rows: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(rows)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def _same_shape(place: _Place, said: Said) -> bool:
    if said.size is None:
        return True
    width, height = said.size
    return abs(width * place.height / (height * place.width) - 1) <= SHAPE


def _store(one: Import, rows: Sequence[tuple[int, Said]]) -> None:
    reviews = Review.objects.bulk_create(
        Review(
            frame_id=frame,
            request_id=uuid.uuid4(),
            verdict=said.verdict,
            alone=False,
            picked=True,
            imported_from=one,
        )
        for frame, said in rows
    )
    both = [
        (review, said)
        for review, (_frame, said) in zip(reviews, rows, strict=True)
        if said.readable
    ]
    ReviewBox.objects.bulk_create(
        ReviewBox(review=review, **box._asdict()) for review, said in both for box in said.boxes
    )
    ReviewCount.objects.bulk_create(
        ReviewCount(review=review, label=label, activity=activity, n=n)
        for review, said in both
        for (label, activity), n in sorted(said.counts.items())
    )


def _settle(one: Import) -> None:
    """Settle anew every frame of which the import says something."""
    rule = rule_of(one.lake)
    for frames in _frames(one):
        said = opinions(frames).values()
        resettling.write([resettling.outcome(each, rule) for each in said], rule)


def _frames(one: Import) -> Iterator[list[Frame]]:
    mine = Frame.objects.filter(reviews__imported_from=one).order_by("pk")
    mine = mine.select_related("deployment", "batch__deployment")
    mine = mine.select_for_update(of=("self",), no_key=True)
    after = 0
    while frames := list(mine.filter(pk__gt=after)[:CHUNK]):
        after = frames[-1].pk
        yield frames


def passed() -> dict[str, str]:
    """Why something of a file was passed over, in words."""
    return {
        "machine": _("observations of a machine: bring its boxes in as MegaDetector JSON"),
        "nobody's": _("observations that do not say whether a person made them"),
        "event": _("observations of a whole event, of no one picture"),
        "unclassified": _("observations that nobody has classified"),
        "uncounted": _("pictures on which somebody was seen, and not counted"),
        "left out": _("boxes and observations of what you left out"),
        "crowd": _("pictures with a crowd that nobody counted"),
        "empty": _("pictures without boxes, of which the file does not say that somebody looked"),
        "deleted": _("pictures marked to be deleted"),
        "unsaid": _("pictures of which no column says anything"),
    }


def refusal(refused: Refused) -> str:
    """What was expected, what was found and what to do, in words."""
    text = _texts().get(refused.why)
    if text is None:
        return detections.refusal(refused)
    known = dict(refused.known)
    if isinstance(known.get("most"), int) and refused.why == "text_large":
        known["most"] = filesizeformat(str(known["most"]))
    return text % known


def _texts() -> dict[str, str]:
    labels = ", ".join(Label)
    return {
        # the archive
        "zip": _("This is no whole ZIP archive: make or copy it anew."),
        "zip_wanted": _("A ZIP archive was expected: pack the files into one."),
        "csv_wanted": _("A CSV was expected, but the file is an archive: unpack it first."),
        "entries": _("The archive names more than %(most)d files: make it without the pictures."),
        "doubled": _("The archive has two files called %(found)s: make it anew."),
        "member": _("%(where)s cannot be unpacked: make the archive anew, without a password."),
        "no_member": _("The archive should hold %(expected)s, and does not."),
        "bomb": _("%(where)s grows beyond measure when it is unpacked; it is not taken."),
        "text_large": _("%(where)s is larger than %(most)s: bring it in in parts."),
        "binary": _("%(where)s: text was expected, but this is another kind of file."),
        # tables
        "csv": _("%(where)s: this line cannot be read as CSV. Is a quotation mark left open?"),
        "csv_empty": _("%(where)s: a line of column names was expected, but the file is empty."),
        "columns_twice": _("%(where)s: two columns are called %(found)s: rename one."),
        "column": _("%(where)s: a column %(expected)s was expected. The file has: %(found)s."),
        "rows": _("%(where)s has more than %(most)d rows: bring it in in parts."),
        "cells": _("%(where)s: %(expected)d cells were expected as in the first line, found "
                   "%(found)d."),
        "whole": _("%(where)s: a whole number from 0 to 1000 was expected, found “%(found)s”."),
        "decimal": _("%(where)s: a number was expected, found “%(found)s”."),
        "moment": _("%(where)s: a time as in 2025-07-26 14:05:00 was expected, found “%(found)s”."),
        "yes": _("%(where)s: true or false was expected, found “%(found)s”."),
        "no_class": _("%(where)s: something was counted, but its class is empty: fill it in."),
        "picture_twice": _("%(where)s: %(found)s has been counted already (%(first)s), with the "
                           "same class. Leave one of the rows out."),
        "blank": _("%(where)s says that nobody is there, and another line of that picture names "
                   "something: correct one of them."),
        "unreadable": _("%(where)s: this picture is said to be unreadable, and something is "
                        "counted on it: correct one of them."),
        # documents
        "deep": _("%(where)s is nested too deeply."),
        "json_text": _("%(where)s: this is no JSON from this line on."),
        "json_object": _("%(where)s: a JSON object { … } was expected."),
        "constant": _("Numbers were expected, but the file has %(found)s."),
        "list_at": _("%(where)s: a list [ … ] was expected, found %(found)s."),
        "object_at": _("%(where)s: an object { … } was expected, found %(found)s."),
        "text_at": _("%(where)s: a text was expected, found %(found)s."),
        "id": _("%(where)s: a number or text was expected, found %(found)s."),
        "id_twice": _("%(where)s: %(found)s stands there a second time; each must have its own."),
        "unknown_id": _("%(where)s: nothing in the file is numbered %(found)s."),
        "side": _("%(where)s: pixels (1 to 100,000) were expected, found %(found)s."),
        "four": _("%(where)s: four numbers, x, y, width and height, were expected, found "
                  "%(found)s."),
        "five": _("%(where)s: five numbers, class, centre and size of a box, were expected, found "
                  "“%(found)s”."),
        "box": _("%(where)s: a box inside the picture was expected, found %(found)s as fractions."),
        "many": _("%(where)s: more than a thousand on one picture; is that so? It is not taken."),
        "names": _("%(where)s: the names of the classes were expected, one a line or under "
                   "“names:”."),
        "class_number": _("%(where)s: a class from 0 to %(most)d was expected, found %(found)d."),
        "machine": _("%(where)s: boxes with a score are a machine’s. Bring them in as MegaDetector "
                     "JSON, on the page of their deployment."),
        # words
        "word": _("%(where)s: “%(found)s” is no word of ours. Say below what it means, as in "
                  "“%(found)s = person”, or “%(found)s = -” to leave it out. Ours: ")
        + labels + ".",
        "column_word": _("%(where)s: “%(found)s” was said to mean %(ours)s, which is for columns "
                         "alone. Say which class it is."),
        "meaning": _("“%(found)s” says no meaning: “their word = ours” was expected, one a line. "
                     "Ours: ") + labels + ", person/bathing, …, -.",
        "meanings": _("“%(found)s” was given two meanings: keep one."),
        "no_columns": _("Say below which column counts persons, as in “Persons = person”. The file "
                        "has: %(found)s."),
        "role_twice": _("Two columns were said to be the %(found)s: keep one."),
        # frames
        "ambiguous": _("Pictures that may be one of several frames: %(n)d, %(first)s first. Choose "
                       "the deployment, or keep the folders in the file."),
        "twice": _("Pictures of a frame that was named before: %(n)d, %(first)s first. Make a file "
                   "that names each once."),
        "reshaped": _("Pictures of another shape than their frame, cut or turned: %(n)d, %(first)s "
                      "first. Boxes must be of the pictures as the camera wrote them."),
        "spoken": _("All of its %(n)d pictures were checked here already, or came in before; "
                    "nothing of it is needed."),
        "silent": _("The file says of no picture what people saw there."),
        "nothing": _("None of its pictures is a frame of this lake. It names %(first)s, say. Hand "
                     "the cards over first."),
        "known": _("This file was brought in on %(when)s already. Take that back first, to bring "
                   "it in otherwise."),
    }  # fmt: skip
