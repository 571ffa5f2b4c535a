"""What a scene is made of, as frozen values with their units; draws nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from detection.labels import Activity, Label

CLOCK_OFFSET_MINUTES = 60  # trail cameras stay on winter time all summer
CAMERA_CLOCK = timezone(timedelta(minutes=CLOCK_OFFSET_MINUTES))


class Pose(StrEnum):
    STAND = "stand"
    WALK = "walk"
    SIT = "sit"
    LIE = "lie"
    SWIM = "swim"
    PADDLE = "paddle"  # sits in a boat, paddle in hand


@dataclass(frozen=True)
class View:
    """One camera's fixed view of one lake; the same seed is the same valley at every size."""

    width: int = 1280
    height: int = 960
    seed: int = 1

    def __post_init__(self) -> None:
        if self.width < 160 or self.height < 120:
            raise ValueError(f"a view has at least 160x120 pixels, not {self.width}x{self.height}")


@dataclass(frozen=True)
class Moment:
    """Light, weather and camera at one instant."""

    at: datetime  # naive, the camera's clock
    cloud: float = 0.3  # 0 blue sky … 1 overcast
    fog: float = 0.0  # 0 none … 0.5 the far shore is gone … 1 nothing can be read
    ripple: float = 0.3  # 0 mirror … 1 windy
    shift_px: tuple[float, float] = (0.0, 0.0)  # picture moved right and down: a knocked camera
    # Edge of the mountain's shadow, as the fraction of the width it has covered from the left;
    # None: where the hour puts it.
    shadow_edge: float | None = None
    turn_deg: float = 0.0  # picture turned about its middle: a camera knocked askew
    bank: float = 0.0  # 0 none … 1 opaque: a bank of fog about bank_x, which drifts
    bank_x: float = 0.5  # fraction of the width
    rain: float = 0.0  # 0 none … 1 a downpour
    drops: int = 0  # on the lens
    snow: float = 0.0  # 0 none … 1 all of the lens

    def __post_init__(self) -> None:
        if self.at.tzinfo is not None:
            raise ValueError("Moment.at is the camera's own clock and carries no time zone")
        for name in ("cloud", "fog", "ripple", "bank", "rain", "snow"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"Moment.{name} must lie in 0..1, not {getattr(self, name)}")

    @property
    def seconds(self) -> int:
        """Seconds of the camera's clock since 2000, the same whatever the machine's time zone."""
        return int(self.at.replace(tzinfo=UTC).timestamp()) - 946_684_800


@dataclass(frozen=True)
class Thing:
    """Someone or something on the ground or the water.

    x, y: foot point (for a swimmer or a boat: where it meets the water) as fractions of the
    frame's width and height; its size follows from the ground's distance there. `look` picks
    clothes or coat: equal looks are the same individual.
    """

    label: Label
    x: float
    y: float
    activity: Activity | None = None  # persons only
    pose: Pose = Pose.STAND
    look: int = 0
    left: bool = False  # faces left
    scale: float = 1.0  # a child is 0.7
    hidden: float = 0.0  # share of the height hidden from below, by a stone or by grass

    def __post_init__(self) -> None:
        if not 0.0 <= self.hidden < 1.0:
            raise ValueError(f"Thing.hidden must lie in 0..1, 1 left out, not {self.hidden}")
        if (self.label is Label.PERSON) != (self.activity is not None):
            raise ValueError("a person has an activity, and nothing else has one")


@dataclass(frozen=True)
class TruthBox:
    """Tight box of one drawn thing, its shadow left out, as fractions of the frame; (x, y) is
    its top left corner."""

    label: Label
    activity: Activity | None
    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True)
class Rendered:
    """`boxes`: what a patient eye can make out, in the order of the things given; none where
    the frame is not `readable`."""

    image: NDArray[np.uint8]  # [H, W, 3] RGB
    boxes: list[TruthBox]
    readable: bool
