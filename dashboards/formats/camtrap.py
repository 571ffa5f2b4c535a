"""A Camtrap DP 1.0 package of one lake: deployments, media, observations.

What people settled stands for a frame; where they have not, the machine's boxes do, and say so.
Media are listed and left out: pictures leave through their own door only. Nobody is named.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Max, Min, Sum

from dashboards import rollups
from dashboards.formats import table
from dashboards.formats.archive import Member
from dashboards.formats.pieces import Facts, Piece
from dashboards.formats.taking import Taken, frames
from dashboards.models import DayFigures
from dashboards.periods import Period
from detection.labels import Label
from detection.models import Deployment
from lacs_web.models import Lake

VERSION = "1.0.2"
SCHEMAS = f"https://raw.githubusercontent.com/tdwg/camtrap-dp/{VERSION}"
# Label → (observationType, scientificName). What is neither a being nor a vehicle is "unknown", and
# its label stands among the tags.
KINDS = {
    Label.PERSON: ("human", "Homo sapiens"),
    Label.TENT: ("unknown", ""),
    Label.BOAT: ("vehicle", ""),
    Label.DOG: ("animal", "Canis lupus familiaris"),
    Label.SHEEP: ("animal", "Ovis aries"),
    Label.CATTLE: ("animal", "Bos taurus"),
    Label.GOAT: ("animal", "Capra hircus"),
    Label.HORSE: ("animal", "Equus"),
    Label.VEHICLE: ("vehicle", ""),
    Label.OTHER: ("unknown", ""),
}
DEPLOYMENTS = (
    "deploymentID", "locationID", "locationName", "latitude", "longitude", "coordinateUncertainty",
    "deploymentStart", "deploymentEnd", "setupBy", "cameraID", "cameraModel", "cameraDelay",
    "cameraHeight", "cameraDepth", "cameraTilt", "cameraHeading", "detectionDistance",
    "timestampIssues", "baitUse", "featureType", "habitat", "deploymentGroups", "deploymentTags",
    "deploymentComments",
)  # fmt: skip
MEDIA = (
    "mediaID", "deploymentID", "captureMethod", "timestamp", "filePath", "filePublic", "fileName",
    "fileMediatype", "exifData", "favorite", "mediaComments",
)  # fmt: skip
OBSERVATIONS = (
    "observationID", "deploymentID", "mediaID", "eventID", "eventStart", "eventEnd",
    "observationLevel", "observationType", "cameraSetupType", "scientificName", "count",
    "lifeStage", "sex", "behavior", "individualID", "individualPositionRadius",
    "individualPositionAngle", "individualSpeed", "bboxX", "bboxY", "bboxWidth", "bboxHeight",
    "classificationMethod", "classifiedBy", "classificationTimestamp",
    "classificationProbability", "observationTags", "observationComments",
)  # fmt: skip
NEAR_THE_LAKE = 2000  # metres: the place given is the lake's, not the camera's


def pieces(
    lake: Lake, period: Period, made: datetime, before: Sequence[Facts] = ()
) -> Iterator[Piece]:
    """A piece for each table. `lake` has a place on the map: the standard asks for it."""
    every = [_first, _media_table, _observations_table]
    for number, table_of in enumerate(every):
        if number >= len(before):
            piece = Piece(last=number == len(every) - 1)
            piece.members = table_of(lake, period, made, piece)
            yield piece


def _first(lake: Lake, period: Period, made: datetime, _piece: Piece) -> Iterator[Member]:
    yield "datapackage.json", [json.dumps(_package(lake, period, made), indent=2).encode()]
    places = list(_deployments(lake, period))
    yield "deployments.csv", table.lines(DEPLOYMENTS, (_row(DEPLOYMENTS, each) for each in places))


def _media_table(lake: Lake, period: Period, _made: datetime, piece: Piece) -> Iterator[Member]:
    every = (_row(MEDIA, _media(each)) for each in _counted(lake, period, piece))
    yield "media.csv", table.lines(MEDIA, every)


def _observations_table(
    lake: Lake, period: Period, _made: datetime, piece: Piece
) -> Iterator[Member]:
    seen = (_row(OBSERVATIONS, row) for each in _counted(lake, period, piece)
            for row in _observations(each))  # fmt: skip
    yield "observations.csv", table.lines(OBSERVATIONS, seen)


def _counted(lake: Lake, period: Period, piece: Piece) -> Iterator[Taken]:
    for each in frames(lake, period):
        piece.frames += 1
        yield each


def _row(columns: tuple[str, ...], values: dict[str, Any]) -> list[Any]:
    return [values.get(column, "") for column in columns]


def _package(lake: Lake, period: Period, made: datetime) -> dict[str, Any]:
    return {
        "profile": f"{SCHEMAS}/camtrap-dp-profile.json",
        "name": f"{lake.slug}-{period.first}-{period.last}",
        "title": f"{lake.name}, {period.first} – {period.last}",
        "created": made.isoformat(timespec="seconds"),
        "description": "Attendance of a lake from a timelapse camera. One picture stands for the "
        "interval given with its deployment; observations are boxes on single pictures, not "
        "individuals. Media are left out.",
        "contributors": [{"title": lake.park.name, "role": "rightsHolder"}],
        "project": {
            "title": f"{lake.park.name}: {lake.name}",
            "samplingDesign": "targeted",
            "captureMethod": ["timeLapse"],
            "individualAnimals": False,
            "observationLevel": ["media"],
        },
        "spatial": {"type": "Point", "coordinates": [lake.longitude, lake.latitude]},
        "temporal": {"start": period.first.isoformat(), "end": period.last.isoformat()},
        "taxonomic": [
            {"scientificName": name}
            for name in sorted({name for _, name in KINDS.values() if name})
        ],
        "resources": [
            {
                "name": name,
                "path": f"{name}.csv",
                "profile": "tabular-data-resource",
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "schema": f"{SCHEMAS}/{name}-table-schema.json",
            }
            for name in ("deployments", "media", "observations")
        ],
    }


def _deployments(lake: Lake, period: Period) -> Iterator[dict[str, Any]]:
    rollups.catch_up([lake], at_once=False)
    effort = {
        pk: (watched, read)
        for pk, *hours in DayFigures.objects.filter(
            deployment__lake=lake, day__range=(period.first, period.last)
        )
        .order_by()
        .values_list("deployment")
        .annotate(Sum("watched_hours"), Sum("read_hours"))
        for watched, read in [hours]
    }
    placed = (
        Deployment.objects.filter(lake=lake)
        .select_related("camera")
        .annotate(first_at=Min("frames__captured_at"), last_at=Max("frames__captured_at"))
        .filter(first_at__isnull=False)
        .order_by("starts_at")
    )
    for each in placed:
        watched, read = effort.get(each.pk, (0.0, 0.0))
        yield {
            "deploymentID": each.slug,
            "locationID": lake.slug,
            "locationName": f"{lake.name}, {each.viewpoint}",
            "latitude": lake.latitude,
            "longitude": lake.longitude,
            "coordinateUncertainty": NEAR_THE_LAKE,
            "deploymentStart": _at(each.starts_at, lake),
            "deploymentEnd": _at(each.ends_at or each.last_at, lake),
            "cameraID": each.camera.serial,
            "cameraModel": f"{each.camera.make}-{each.camera.model}".rstrip("-"),
            "baitUse": "false",
            "deploymentTags": f"intervalSeconds:{each.interval_seconds} | "
            f"watchedHours:{table.decimal(watched, '.')} | readHours:{table.decimal(read, '.')}",
        }


def _media(each: Taken) -> dict[str, Any]:
    frame = each.frame
    return {
        "mediaID": frame.sha256,
        "deploymentID": frame.deployment.slug,
        "captureMethod": "timeLapse",
        "timestamp": _at(frame.captured_at, frame.deployment.lake),
        "filePath": f"media/{frame.sha256}.jpg",
        "filePublic": "false",
        "fileMediatype": "image/jpeg",
    }


def _observations(each: Taken) -> Iterator[dict[str, Any]]:
    """A row for each box; one that says so where a frame is empty, unreadable or not looked at."""
    frame, at = each.frame, _at(each.frame.captured_at, each.frame.deployment.lake)
    common = {
        "deploymentID": frame.deployment.slug,
        "mediaID": frame.sha256,
        "eventID": frame.sha256,
        "eventStart": at,
        "eventEnd": at,
        "observationLevel": "media",
    }
    if each.settled is not None:
        by = {
            "classificationMethod": "human",
            "classificationTimestamp": _at(each.settled.at, frame.deployment.lake),
        }
        for box in each.boxes:
            yield common | by | _box(box) | {"observationID": f"human-{box.pk}", **_words(box)}
        for count in each.counts:
            kind, name = KINDS[Label(count.label)]
            yield (
                common
                | by
                | {
                    "observationID": f"count-{count.pk}",
                    "observationType": kind,
                    "scientificName": name,
                    "count": count.n,
                    **_words(count),
                }
            )
        if not each.boxes and not each.counts:
            readable = each.settled.readable
            yield (
                common
                | by
                | {
                    "observationID": f"frame-{frame.pk}",
                    "observationType": "blank" if readable else "unclassified",
                    "observationTags": "" if readable else "unreadable",
                }
            )
        return
    for one in each.machine or []:
        yield (
            common
            | _box(one)
            | {
                "observationID": f"machine-{one.pk}",
                "classificationMethod": "machine",
                "classifiedBy": each.detector,
                "classificationProbability": f"{one.score:.4f}",
                "observationTags": f"label:{one.label}",
            }
        )
    if not each.machine:
        looked = each.machine is not None
        yield common | {
            "observationID": f"frame-{frame.pk}",
            "observationType": "blank" if looked else "unclassified",
            **(
                {"classificationMethod": "machine", "classifiedBy": each.detector} if looked else {}
            ),
        }


def _words(one: Any) -> dict[str, str]:
    """Of a box or a count that people stated."""
    activity = f" | activity:{one.activity}" if one.activity else ""
    return {
        "behavior": one.activity if one.activity != "unknown" else "",
        "observationTags": f"label:{one.label}{activity}",
    }


def _box(box: Any) -> dict[str, Any]:
    kind, name = KINDS[Label(box.label)]
    return {
        "observationType": kind,
        "scientificName": name,
        "count": 1,
        "bboxX": f"{box.x:.6f}",
        "bboxY": f"{box.y:.6f}",
        # At least a millionth, and never past the frame's edge.
        "bboxWidth": f"{max(min(box.w, 1 - box.x), 1e-6):.6f}",
        "bboxHeight": f"{max(min(box.h, 1 - box.y), 1e-6):.6f}",
    }


def _at(instant: datetime | None, lake: Lake) -> str:
    return "" if instant is None else instant.astimezone(lake.zone).isoformat(timespec="seconds")
