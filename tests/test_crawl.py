"""Every link and every picture of a populated site of two parks, followed as each role.

No picture may show a person that the drawing knows of without a mask, and no page, file or picture
may tell of the other park. What a page names in its text counts as a link whoever would follow it.
"""

from __future__ import annotations

import html
import io
import json
import re
import zipfile
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import simplejpeg
from django.core.management import call_command
from django.test import Client
from django.urls import Resolver404, resolve, reverse

from annotation.models import Hold
from annotation.reviewing import StatedBox
from dashboards import kept, sharing
from dashboards.periods import Period
from detection import renditions
from detection.cards import vault
from detection.models import Candidate, ClockCorrection, Frame, Trial
from detection.runs import Box
from detection.scenes.card import tiny_card
from lacs_web.models import AuditEvent, Lake, Role, SchoolHoliday
from tests.annotation.test_checks import say
from tests.cast import ANONYMOUS, CAST, STRANGER, member, person
from tests.dashboards.survey import read
from tests.factories import examine, make_deployment, make_lake

pytestmark = pytest.mark.django_db
MOST = 400  # addresses of one walk
SHOWS = 0.75  # correlation of fine detail above which a person is seen; re-encoded: over 0.9
LEFT_OUT = re.compile(r"^/(static|administration|signout|language|jsi18n)\b")
NAMED = re.compile(r"""["'=(]\s*(?:https?://[\w.:]+)?(/[\w/.\-?=&;,%:~+]*)""")


@dataclass
class Place:
    """One park's lake with something of everything, and the words that only it may say."""

    lake: Lake
    truth: dict[int, Box]  # frame → the person drawn there
    words: list[bytes]
    shared: str


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The cards of both lakes, drawn once."""
    drawn = {name: tmp_path_factory.mktemp(name) for name in ("ours", "theirs")}
    for seed, (name, folder) in enumerate(drawn.items(), start=1):
        tiny_card(folder, 6, size=(960, 720), seed=seed)
        (folder / "DCIM/film.avi").write_bytes(f"RIFF {name}".encode())
        (folder / f"DCIM/Zq{name}torn.jpg").write_bytes(f"\xff\xd8 {name}".encode())
    return drawn


def populate(folder: Path, name: str) -> Place:
    word = f"Zq{name}"
    lake = make_lake(f"zq{name}", park=f"zqpark{name}")
    deployment = make_deployment(lake, slug=f"zq{name}-shore", viewpoint=f"{word}view")
    truth = json.loads((folder / "truth.json").read_text())
    call_command("import_batch", str(folder / "DCIM"), deployment=deployment.slug, stdout=None)
    frames = list(deployment.frames.order_by("path"))
    drawn: dict[int, Box] = {}
    for frame, said in zip(frames, truth["frames"], strict=True):
        (one,) = (each for each in said["boxes"] if each["label"] == "person")
        drawn[frame.pk] = Box("person", "person", 0.6, one["x"], one["y"], one["w"], one["h"])
    run = examine(*frames[:5], boxes={one.pk: [drawn[one.pk]] for one in frames[:2]})
    # Frames 2 to 4: people drew what the detector overlooked; of 4 they disagree. 5: unexamined.
    ranger = person(Role.RANGER, lake, f"{word}ranger")
    stated = {pk: StatedBox("person", "walking", *corners(box)) for pk, box in drawn.items()}
    say(frames[2], ranger, [stated[frames[2].pk]])
    read(frames[0], 1)
    say(frames[3], person(Role.VOLUNTEER, lake, "one"), [stated[frames[3].pk]])
    for who, boxes in (("one", []), ("two", [stated[frames[4].pk]]), ("three", [])):
        say(frames[4], person(Role.VOLUNTEER, lake, who), boxes)
    renditions.lift(frame=frames[1], user=ranger)
    day = frames[0].captured_at
    assert day
    assert frames[0].clock_at
    SchoolHoliday.objects.create(
        lake=lake, region="FR-A", name=f"{word}holiday", first=day.date(), last=day.date()
    )
    ClockCorrection.objects.create(
        deployment=deployment, batch=run.batch, clock_1=frames[0].clock_at, true_1=day
    )
    Trial.objects.create(deployment=deployment, detector=run.detector, state="done")
    Candidate.objects.create(
        deployment=deployment, detector=run.detector, finished_at=run.finished_at
    )
    AuditEvent.objects.create(user=ranger, lake=lake, action=f"{word}deed")
    boss = person(Role.ADMINISTRATOR, lake)
    for kind in ("coco", "megadetector"):
        made, _new = kept.ask(kind=kind, lake=lake, period=Period(day.date(), day.date()), by=boss)
        kept.go_on(made.pk)
    officer = person(Role.OFFICER, lake, f"{word}officer")
    _link, shared = sharing.make(lake=lake, label=f"{word}partner", by=officer)
    return Place(lake, drawn, [word.lower().encode(), f"zqpark{name}".encode()], shared)


def corners(box: Box) -> tuple[float, float, float, float]:
    return box.x, box.y, box.w, box.h


@pytest.fixture
def places(cards: dict[str, Path]) -> tuple[Place, Place]:
    return populate(cards["ours"], "ours"), populate(cards["theirs"], "theirs")


@dataclass
class Walk:
    """What one walk came to: address → kind of answer."""

    found: dict[str, Any] = field(default_factory=dict)
    pictures: int = 0
    people: int = 0  # known persons on those pictures
    packed: int = 0  # of pictures in files


def walk(client: Client, start: list[str], own: Place, other: Place) -> Walk:
    done, owed = Walk(), deque(start)
    while owed:
        address = owed.popleft()
        if address in done.found or len(done.found) > MOST:
            continue
        answer = client.get(address)
        done.found[address] = answer.status_code
        assert answer.status_code < 500, address
        kind = answer.headers.get("Content-Type", "")
        if 300 <= answer.status_code < 400:
            owed.append(local(answer["Location"]))
            continue
        body = answer.getvalue()
        tells_nothing(address, body, other)
        if body[:2] == b"PK" and b".jpg" in body:
            done.packed += nobody_is_packed(body, own)
        if kind.startswith("image/jpeg"):
            done.pictures += 1
            done.people += nobody_is_seen(address, body, own)
        elif kind.startswith(("text/html", "application/json")):
            owed.extend(links(body.decode()))
    assert len(done.found) <= MOST, "this walk does not end: raise MOST or see why"
    return done


def local(address: str) -> str:
    return re.sub(r"^https?://[^/]+", "", address)


def links(page: str) -> list[str]:
    found = (html.unescape(one) for one in NAMED.findall(page))
    return [one for one in found if not LEFT_OUT.match(one) and known(one)]


def known(address: str) -> bool:
    try:
        resolve(address.split("?")[0])
    except Resolver404:
        return False
    return True


def tells_nothing(address: str, body: bytes, other: Place) -> None:
    parts = [body]
    if body[:2] == b"PK":
        packed = zipfile.ZipFile(io.BytesIO(body))
        parts = [packed.read(name) for name in packed.namelist()]
    for part in parts:
        for word in other.words:
            assert word not in part.lower(), f"{address} tells of the other park: {word!r}"


def nobody_is_seen(address: str, jpeg: bytes, own: Place) -> int:
    """How many known persons the picture has, none of whom can be made out."""
    matched = re.search(r"/frames?/(\d+)/", address)
    if matched is None or "stamp" in address or "lesson" in address or "background" in address:
        assert re.search(r"lesson|tutorial|stamp|background|behind", address), address
        return 0
    frame = Frame.objects.get(pk=int(matched.group(1)))
    assert frame.pk in own.truth, f"{address} is a picture of the other park"
    box = own.truth[frame.pk]
    rgb = simplejpeg.decode_jpeg(jpeg, "RGB")
    assert seen(rgb, original(frame), box) < SHOWS, f"{address} shows a person"
    return 1


def nobody_is_packed(body: bytes, own: Place) -> int:
    """How many pictures an archive holds, on none of which a known person can be made out."""
    packed, count = zipfile.ZipFile(io.BytesIO(body)), 0
    for name in packed.namelist():
        if name.endswith(".jpg"):
            frame = Frame.objects.get(pk__in=own.truth, sha256=Path(name).stem)
            rgb = simplejpeg.decode_jpeg(packed.read(name), "RGB")
            assert seen(rgb, original(frame), own.truth[frame.pk]) < SHOWS, name
            count += 1
    return count


def seen(rgb: Any, true: Any, box: Box) -> float:
    """How much of the fine detail inside `box` of `true` is in `rgb`, of any size: 1 is all."""
    true = cv2.resize(true, (rgb.shape[1], rgb.shape[0]), interpolation=cv2.INTER_AREA)
    height, width = rgb.shape[:2]
    part = (
        slice(round(box.y * height), round((box.y + box.h) * height)),
        slice(round(box.x * width), round((box.x + box.w) * width)),
    )
    one, two = (fine(each)[part].ravel() for each in (rgb, true))
    return float(np.corrcoef(one, two)[0, 1]) if one.std() > 0.5 else 0.0


def original(frame: Frame) -> Any:
    return simplejpeg.decode_jpeg(vault.original(frame.sha256), "RGB")


def fine(rgb: Any) -> Any:
    return rgb.astype(np.float32) - cv2.GaussianBlur(rgb, (0, 0), 2).astype(np.float32)


def client_of(who: str, lake: Lake) -> Client:
    client = Client()
    if user := member(who, lake):
        client.force_login(user)
    client.cookies["django_language"] = "en"
    return client


# Slow: seven walks through all of a site whose pictures are drawn, read and masked one by one.
def test_no_walk_finds_an_unmasked_person_or_anything_of_the_other_park(
    places: tuple[Place, Place],
) -> None:
    ours, theirs = places
    far = walk(client_of(Role.ADMINISTRATOR, theirs.lake), ["/"], theirs, ours)
    addresses = [each for each, status in far.found.items() if status == 200]
    walks: dict[str, Walk] = {}
    for who in CAST:
        client = client_of(who, ours.lake)
        start = ["/", reverse("dashboards:overview")]
        if who not in (ANONYMOUS, STRANGER, Role.PARTNER):
            Hold.objects.all().delete()  # what those before hold
            claimed = client.post(
                reverse("annotation:claim", args=[ours.lake.slug]),
                json.dumps({"want": 6, "holding": [], "day": None}),
                content_type="application/json",
            )
            if claimed.status_code == 200:  # not somebody of the other park
                tells_nothing("a claim", claimed.content, theirs)
                start += links(claimed.content.decode())
        walks[who] = walk(client, start, ours, theirs)
        # Whoever guesses or was told the addresses of the other park learns nothing by them.
        for address in addresses:
            answer = client.get(address)
            echo = html.escape(address).encode()  # the page offers it in another language
            tells_nothing(address, answer.getvalue().replace(echo, b""), theirs)
            assert not answer.headers.get("Content-Type", "").startswith("image/jpeg") or (
                "lesson" in address
            ), address
    shared = walk(Client(), [local(ours.shared)], ours, theirs)
    assert shared.pictures == walks[ANONYMOUS].pictures == walks[Role.PARTNER].pictures == 0
    for who in (Role.VOLUNTEER, Role.RANGER, Role.OFFICER, Role.ADMINISTRATOR):
        assert walks[who].people >= 1, who
    assert walks[Role.ADMINISTRATOR].packed >= 1
    assert len(walks[Role.ADMINISTRATOR].found) > len(walks[Role.PARTNER].found) > 5


@pytest.mark.parametrize("who", [Role.VOLUNTEER, Role.RANGER, Role.OFFICER])
def test_no_part_of_a_frame_shows_more_than_the_whole(
    places: tuple[Place, Place], who: str
) -> None:
    """Each frame, as a whole, by regions around its person, and unmasked as nobody allowed."""
    ours, _theirs = places
    client = client_of(who, ours.lake)
    for frame in Frame.objects.filter(pk__in=ours.truth):
        address, box = reverse("detection:picture", args=[frame.pk]), ours.truth[frame.pk]
        assert client.get(address, {"lifted": 1}).status_code == 403
        nobody_is_seen(address, client.get(address).content, ours)
        left, top = box.x - 0.05, box.y - 0.05
        width, height = box.w + 0.1, 1 - top
        part = client.get(address, {"region": f"{left},{top},{width},{height}"})
        true = original(frame)
        tall, wide = true.shape[:2]
        cut = true[round(top * tall) :, round(left * wide) : round((left + width) * wide)]
        inside = Box("person", "person", 1, 0.05 / width, 0.05 / height, box.w / width,
                     box.h / height)  # fmt: skip
        assert seen(simplejpeg.decode_jpeg(part.content, "RGB"), cut, inside) < SHOWS, part


def test_an_unmasked_picture_would_be_noticed(places: tuple[Place, Place]) -> None:
    ours, _theirs = places
    for frame in Frame.objects.filter(pk__in=ours.truth):
        plain = simplejpeg.decode_jpeg(vault.preview(frame.sha256), "RGB")
        assert seen(plain, original(frame), ours.truth[frame.pk]) > SHOWS + 0.1
