"""Handing over a card: open, announce, send each file, close; every call may be repeated.

A JPEG is the unit of resumption. Bodies of files are streamed to disk and never held in memory;
their hash, not their name or place, says what they are.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from typing import Any, cast

from django.conf import settings
from django.http import UnreadablePostError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import api_view, parser_classes
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from detection import tasks
from detection.api import forms
from detection.cards import exif, manifest, receive, vault
from detection.cards.receipt import receipt
from detection.models import Batch, CardFile, Deployment
from lacs_web.access import Action, fetch, lake_for
from lacs_web.models import User
from lacs_web.public_api import Cursor, PageAsked, page_of, public

HEAD_BYTES = 512 * 1024  # of a picture, to read its EXIF from
CHUNK_BYTES = 256 * 1024


class Refused(APIException):
    """An answer of a given status with a sentence for the person at the screen.

    `why` names the cause to scripts, where several have one status.
    """

    def __init__(self, status_code: int, detail: str, why: str = "") -> None:
        super().__init__({"detail": detail, "why": why} if why else detail)
        self.status_code = status_code


@extend_schema_field({"type": "string", "minLength": 1, "maxLength": 32_000})
class AnyText(serializers.Field[str, Any, str, Any]):
    """Text as a card may hold it, NUL and half characters included; the verbs spell these out."""

    default_error_messages = {"invalid": gettext_lazy("Not a text of 1 to 32,000 characters.")}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or not 0 < len(data) <= 32_000:
            self.fail("invalid")
        return data

    def to_representation(self, value: str) -> str:
        return value


class NewCard(serializers.Serializer[Any]):
    deployment = serializers.SlugField()
    source: Any = AnyText(default="")
    fingerprint = serializers.RegexField(r"^[0-9a-f]{64}$")
    files = serializers.IntegerField(min_value=1)
    left_out = serializers.ListField(
        child=cast("Any", AnyText()), default=list, max_length=manifest.NAMED_AT_MOST
    )
    left_out_count = serializers.IntegerField(min_value=0, max_value=2**31 - 1, default=0)


class CardsAsked(PageAsked):
    deployment = serializers.SlugField(required=False)


class ManifestLine(serializers.Serializer[Any]):
    path = AnyText()
    size = serializers.IntegerField(min_value=0, max_value=2**62)
    modified = serializers.FloatField(allow_null=True, default=None)  # ms since 1970


class Manifest(serializers.Serializer[Any]):
    files = ManifestLine(many=True)


class HashedFile(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    sha256 = serializers.RegexField(r"^[0-9a-f]{64}$")


class Hashes(serializers.Serializer[Any]):
    files = HashedFile(many=True)


class LeftBehind(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    reason = AnyText()


class Closing(serializers.Serializer[Any]):
    problems = LeftBehind(many=True, default=list)


def _person(request: Request) -> User:
    return cast("User", request.user)


def _read(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    form = serializer(data=request.data)
    form.is_valid(raise_exception=True)
    return cast("dict[str, Any]", form.validated_data)


def _batch(request: Request, pk: int, action: Action = Action.UPLOAD) -> Batch:
    return fetch(
        Batch.objects.select_related(
            "deployment__lake__park", "deployment__camera", "uploaded_by", "moved_from"
        ),
        user=_person(request),
        action=action,
        lake="deployment__lake",
        pk=pk,
    )


class Head(BaseParser):
    """The first bytes of a picture; the check against forged requests parses what is posted."""

    media_type = "application/octet-stream"

    def parse(self, stream: Any, *_args: Any, **_kwargs: Any) -> Any:
        return stream.read(HEAD_BYTES)


@public(
    needs=Action.UPLOAD,
    request={"application/octet-stream": OpenApiTypes.BINARY},
    answers=forms.Proposed,
    refuses="400 415",
)
@api_view(["POST"])
@parser_classes([Head])
def propose(request: Request, lake: str) -> Response:
    """From the first bytes of a picture: the camera, and the newest deployment of its serial."""
    place = lake_for(_person(request), Action.UPLOAD, lake)
    said = exif.read(cast("bytes", request.data))
    newest = (
        Deployment.objects.filter(lake=place, camera__serial=said.serial)
        .order_by("-starts_at")
        .first()
        if said.serial
        else None
    )
    return Response(
        {
            "make": said.make,
            "model": said.model,
            "serial": said.serial,
            "clock_at": said.clock_at and said.clock_at.replace(tzinfo=None),
            "deployment": newest and newest.slug,
        }
    )


@public(
    methods=["GET"], needs=Action.READ_CARDS, parameters=[CardsAsked], answers=page_of(forms.Card),
    refuses="400",
)  # fmt: skip
@public(
    methods=["POST"], needs=Action.UPLOAD, request=NewCard, answers=forms.Opened,
    refuses="400 413 415",
)  # fmt: skip
@api_view(["GET", "POST"])
def cards(request: Request, lake: str) -> Response:
    """GET: the cards handed over at a lake, the newest first. POST: open one, or the one that was
    interrupted.
    """
    return _listed(request, lake) if request.method == "GET" else _open(request, lake)


def _listed(request: Request, lake: str) -> Response:
    place = lake_for(_person(request), Action.READ_CARDS, lake)
    asked = CardsAsked(data=request.query_params)
    asked.is_valid(raise_exception=True)
    batches = Batch.objects.filter(deployment__lake=place).select_related("deployment").counted()
    if slug := asked.validated_data.get("deployment"):
        batches = batches.filter(deployment__slug=slug)
    return Cursor("-opened_at").answer(batches, request, forms.Card)


def _open(request: Request, lake: str) -> Response:
    place = lake_for(_person(request), Action.UPLOAD, lake)
    asked = _read(NewCard, request)
    if asked["files"] > settings.CARD_MAX_FILES:
        raise Refused(413, _too_many())
    deployment = Deployment.objects.filter(lake=place, slug=asked["deployment"]).first()
    if deployment is None:
        raise ValidationError({"deployment": [_("This lake has no such deployment.")]})
    batch = receive.open_batch(
        deployment=deployment,
        source=asked["source"],
        user=_person(request),
        fingerprint=asked["fingerprint"],
        expected_files=asked["files"],
        left_out=manifest.LeftOut(asked["left_out_count"], tuple(asked["left_out"])),
    )
    stored = batch.files.exclude(state=CardFile.State.AWAITED).count()
    return Response({"batch": batch.pk, "stored": stored, "opened_at": batch.opened_at})


@public(needs=Action.UPLOAD, request=Manifest, answers=forms.Announced, refuses="400 409 413 415")
@api_view(["POST"])
def announce(request: Request, batch: int) -> Response:
    """Part of the manifest; the answer has an id for each line, null for what is here already.

    A file that was changed since it came has an id again: only its hash tells whether it is the
    same.
    """
    card = _batch(request, batch)
    lines = [
        receive.Announced(line["path"], line["size"], manifest.moment(line["modified"]))
        for line in _read(Manifest, request)["files"]
    ]
    try:
        rows = receive.announce(batch=card, files=lines)
    except receive.Closed:
        raise Refused(409, _closed()) from None
    except receive.TooMany:
        raise Refused(413, _too_many()) from None
    except receive.OverQuota as full:
        words = _(
            "Your park has room for %(n)d GB of cards, and this one does not fit. Have originals "
            "purged, or ask whoever runs this site for more room. Nothing is lost: keep the card."
        )
        raise Refused(409, words % {"n": full.gb}) from None
    return Response(
        {
            "ids": [
                None if receive.is_here(row, line) else row.pk
                for row, line in zip(rows, lines, strict=True)
            ]
        }
    )


@public(needs=Action.UPLOAD, request=Hashes, answers=forms.Recognised, refuses="400 415")
@api_view(["POST"])
def recognise(request: Request, batch: int) -> Response:
    """Of files about to be sent, the ids of those whose bytes are known to be here already."""
    card = _batch(request, batch)
    asked = _read(Hashes, request)["files"]
    hashes = {one["id"]: one["sha256"] for one in asked}
    here = receive.recognise(batch=card, hashes=hashes, user=_person(request))
    if here:
        tasks.ring_soon(card.pk)
    return Response({"stored": sorted(here)})


@public(
    needs=Action.UPLOAD,
    request={"application/octet-stream": OpenApiTypes.BINARY},
    parameters=[OpenApiParameter("sha256", str, "path", pattern="^[0-9a-f]{64}$")],
    answers={200: forms.Stored, 201: forms.Stored},
    refuses="400 409 413 422 507",
)
@api_view(["PUT"])
def put_file(request: Request, batch: int, file: int, sha256: str) -> Response:
    """The bytes of one announced file. 201 when they were awaited, 200 when they were here."""
    card = _batch(request, batch)
    row = card.files.filter(pk=file).first()
    if row is None:
        raise NotFound(_("This file was not announced. Choose the folder again."))
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise Refused(422, _("This is not a SHA-256."))
    length = int(request.headers.get("Content-Length") or 0)
    if length > settings.FILE_MAX_BYTES:
        raise Refused(413, _too_large())
    try:
        awaited = receive.store(file=row, chunks=_body(request), expected=sha256)
    except vault.TooLarge:
        raise Refused(413, _too_large()) from None
    except vault.WrongHash:
        raise Refused(
            422, _("The picture arrived changed: it is not kept and must be sent again.")
        ) from None
    except receive.WrongSize:
        raise Refused(422, _resized(), "resized") from None
    except receive.Closed:
        raise Refused(409, _closed()) from None
    except receive.Conflict:
        raise Refused(
            409, _("Another file of this name came before. Choose the folder again.")
        ) from None
    except UnreadablePostError:
        raise Refused(400, _("The line was cut while the picture was sent.")) from None
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Refused(
                status.HTTP_507_INSUFFICIENT_STORAGE,
                _("The server's disk is full. What came is safe; tell the administrator."),
            ) from None
        raise
    if awaited:
        tasks.ring_soon(card.pk)
    return Response({"stored": row.pk}, status=201 if awaited else 200)


@public(needs=Action.UPLOAD, request=Closing, answers=forms.Receipt, refuses="400 409 415")
@api_view(["POST"])
def close(request: Request, batch: int) -> Response:
    """All was sent that can be; `problems` says why the rest was not. Answers the receipt."""
    card = _batch(request, batch)
    problems = {one["id"]: one["reason"] for one in _read(Closing, request)["problems"]}
    try:
        receive.close_batch(batch=card, user=_person(request), problems=problems)
    except receive.Unfinished:
        raise Refused(
            409, _("The list of files is not complete yet. Choose the folder again.")
        ) from None
    tasks.ring(tasks.ingest, card.pk)
    return Response(_told(receipt(card)))


@public(needs=Action.READ_CARDS, answers=forms.Receipt, refuses="")
@api_view(["GET"])
def show(request: Request, batch: int) -> Response:
    """The receipt as it stands."""
    return Response(_told(receipt(_batch(request, batch, Action.READ_CARDS))))


def _told(said: dict[str, Any]) -> dict[str, Any]:
    """The receipt with its reasons, which are stored in English, in the reader's language."""
    for file in (*said["missing"], *said["waiting"], *said["files"]):
        file["reason"] = file["reason"] and _(file["reason"])
    return said


def _body(request: Request) -> Iterator[bytes]:
    while chunk := request.read(CHUNK_BYTES):
        yield chunk


def _closed() -> str:
    return _("This card is closed; hand over a new one.")


def _resized() -> str:
    return _(
        "This file grew or shrank after the folder was chosen: it is not kept. Choose the folder "
        "again."
    )


def _too_many() -> str:
    return _("A card may hold %(n)d files. Hand over one folder of it at a time.") % {
        "n": settings.CARD_MAX_FILES
    }


def _too_large() -> str:
    return _("This file is larger than %(n)d MB, which this server takes at most.") % {
        "n": settings.FILE_MAX_BYTES // 1024**2
    }
