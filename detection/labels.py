"""The product's words for what a box holds and what a person does; pure."""

from __future__ import annotations

from enum import StrEnum

# Below this score a machine box is stored, but neither counted nor suggested to a reviewer.
COUNTED_SCORE = 0.3


class Label(StrEnum):
    """Class of a box, machine's or human's."""

    PERSON = "person"
    TENT = "tent"
    BOAT = "boat"  # kayak, packraft, paddle board
    DOG = "dog"
    SHEEP = "sheep"
    CATTLE = "cattle"
    GOAT = "goat"
    HORSE = "horse"  # horse or mule
    VEHICLE = "vehicle"
    OTHER = "other"


class Activity(StrEnum):
    """What a person does; zone and class propose it, the reviewer decides."""

    BATHING = "bathing"
    ON_WATER = "on_water"
    FISHING = "fishing"
    WALKING = "walking"
    RESTING = "resting"
    BIVOUAC = "bivouac"
    PASTORAL = "pastoral"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """A reviewer's statement on a whole frame."""

    BOXES = "boxes"  # the boxes stated are all there is
    NOBODY = "nobody"
    UNREADABLE = "unreadable"  # fog, dark, drop on the lens, camera moved
    SKIP = "skip"
    FLAG = "flag"  # to the ranger
    COUNTED = "counted"  # elsewhere: how many, without a box for each; nobody states it here
