"""COCO's JSON: alone, or in an archive with or without its pictures. Pure."""

from __future__ import annotations

from typing import Any

from annotation.elsewhere.files import Source, document, number, spelt
from annotation.elsewhere.said import ACTIVITIES, MOST, File, Kind, Said, Words, box, digest, short
from detection.labels import Label
from detection.megadetector import Refused


def read(source: Source, words: Words, *, empty_is_nobody: bool) -> File:
    """`empty_is_nobody`: a picture without boxes was looked at, and shows nobody."""
    found = File()
    for where, table in _documents(source):
        _read(found, where, table, words, empty_is_nobody)
    return found


def _documents(source: Source) -> list[tuple[str, dict[str, Any]]]:
    if not source.packed:
        return [("JSON", document(source.whole(), "JSON"))]
    names = [name for name in source.names if name.lower().endswith(".json")]
    if not names:
        raise Refused("no_member", expected="annotations.json")
    every = [(short(name), document(source.read(name), short(name))) for name in names]
    listed = [(name, table) for name, table in every if "images" in table]
    return listed or every[:1]


def _read(found: File, where: str, table: dict[str, Any], words: Words, empty: bool) -> None:
    kinds = _categories(table, where, words)
    pictures: dict[int | str, Said] = {}
    for n, image in enumerate(_list(table, "images", where)):
        at = f"{where}, images[{n}]"
        one = _object(image, at)
        key, name = _id(one, "id", at), one.get("file_name")
        if not isinstance(name, str) or not name.strip():
            raise Refused("text_at", where=f"{at}.file_name", found=spelt(name))
        if key in pictures:
            raise Refused("id_twice", where=f"{at}.id", found=spelt(key))
        size = _side(one, "width", at), _side(one, "height", at)
        pictures[key] = Said(f"{at} ({short(name)})", (name,), digest(name), size=size)
    crowds: set[int | str] = set()
    for n, note in enumerate(_list(table, "annotations", where)):
        at = f"{where}, annotations[{n}]"
        one = _object(note, at)
        key = _id(one, "image_id", at)
        if key not in pictures:
            raise Refused("unknown_id", where=f"{at}.image_id", found=spelt(key))
        if "score" in one:
            raise Refused("machine", where=f"{at}.score")
        category = _id(one, "category_id", at)
        if category not in kinds:
            raise Refused("unknown_id", where=f"{at}.category_id", found=spelt(category))
        kind = kinds[category]
        if kind is None:
            found.passed["left out"] += 1
            continue
        if one.get("iscrowd") not in (None, 0):
            crowds.add(key)
            continue
        picture = pictures[key]
        if len(picture.boxes) == MOST:
            raise Refused("many", where=picture.where, most=MOST)
        picture.boxes.append(box(_doing(kind, one), _sides(one, picture, at), f"{at}.bbox"))
    for key, picture in pictures.items():
        if key in crowds:
            found.passed["crowd"] += 1
        elif not picture.boxes and not empty:
            found.passed["empty"] += 1
        else:
            found.pictures.append(picture)


def _categories(table: dict[str, Any], where: str, words: Words) -> dict[int | str, Kind | None]:
    kinds: dict[int | str, Kind | None] = {}
    for n, each in enumerate(_list(table, "categories", where)):
        at = f"{where}, categories[{n}]"
        one = _object(each, at)
        key, name = _id(one, "id", at), one.get("name")
        if not isinstance(name, str):
            raise Refused("text_at", where=f"{at}.name", found=spelt(name))
        if key in kinds:
            raise Refused("id_twice", where=f"{at}.id", found=spelt(key))
        kinds[key] = words.kind(name, f"{at}.name")
    return kinds


def _doing(kind: Kind, note: dict[str, Any]) -> Kind:
    """With the activity that our own files have among the attributes of a box."""
    told = note.get("attributes")
    activity = told.get("activity") if isinstance(told, dict) else None
    if kind[0] == Label.PERSON and isinstance(activity, str) and activity in ACTIVITIES:
        return kind[0], activity
    return kind


def _sides(note: dict[str, Any], picture: Said, at: str) -> tuple[float, float, float, float]:
    given = note.get("bbox")
    sides = [number(side) for side in given] if isinstance(given, list) else []
    if len(sides) != 4 or None in sides or picture.size is None:
        raise Refused("four", where=f"{at}.bbox", found=spelt(given))
    x, y, w, h = (side or 0.0 for side in sides)
    width, height = picture.size
    return x / width, y / height, w / width, h / height


def _list(table: dict[str, Any], key: str, where: str) -> list[Any]:
    value = table.get(key)
    if not isinstance(value, list):
        raise Refused("list_at", where=f"{where}, {key}", found=spelt(value))
    return value


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refused("object_at", where=where, found=spelt(value))
    return value


def _id(one: dict[str, Any], key: str, where: str) -> int | str:
    value = one.get(key)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Refused("id", where=f"{where}.{key}", found=spelt(value))
    return value


def _side(one: dict[str, Any], key: str, where: str) -> float:
    value = number(one.get(key))
    if value is None or not 1 <= value <= 100_000:
        raise Refused("side", where=f"{where}.{key}", found=spelt(one.get(key)))
    return value
