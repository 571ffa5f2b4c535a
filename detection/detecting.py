"""From stored rows to a network that detects, and from its boxes to ours.

Networks are kept open in the process that asked first, so after the fork. Touches the database
nowhere: rows come in, boxes go out.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from detection.cards import vault
from detection.models import Detector
from detection.onnx.engine import DetectorSettings, Engine, load_engine
from detection.onnx.pair import Member, Pair
from detection.onnx.runtime import ModelRefused, Refusal
from detection.onnx.sequence import Seen
from detection.runs import Box


@dataclass(frozen=True, eq=False)
class Looking:
    """A network, or two as one, and the label of each of its classes ("" where none is ours)."""

    network: Engine | Pair
    labels: tuple[str, ...]

    @property
    def engine(self) -> str:
        """Runtime, version and providers, once a picture was looked at."""
        if isinstance(self.network, Engine):
            return self.network.session.running_on
        return self.network.first.engine.session.running_on

    def boxes(self, seen: Seen) -> list[Box]:
        """What was seen in one frame, as fractions of it, with our labels."""
        found = seen.boxes
        result = []
        fractions = found.to_fractions(seen.width, seen.height).tolist()
        rows = zip(fractions, found.scores, found.classes, seen.evidence.tolist(), strict=True)
        for (x, y, w, h), score, number, differs in rows:
            if w > 0 and h > 0:
                name = self.network.names[int(number)]
                evidence = differs if differs == differs else None  # NaN: no background
                certain = min(1.0, float(score))
                result.append(Box(self.labels[int(number)], name, certain, x, y, w, h, evidence))
        return result


def looking(first: Detector, second: Detector | None, options: dict[str, Any]) -> Looking:
    """What a run with these detectors and settings looks with; raises ModelRefused, also where a
    file is no longer the one that was registered.
    """
    for each in (first, second):
        if each is not None and not is_whole(each):
            raise ModelRefused(
                Refusal.CHANGED,
                f"the file of {each.name} is gone or was changed: register it again",
            )
    return _looking(
        _key(first), None if second is None else _key(second), json.dumps(options, sort_keys=True)
    )


def is_whole(detector: Detector) -> bool:
    """Whether the file of `detector` is there, and the one that was registered."""
    try:
        return vault.is_as_named(detector.storage_name, detector.sha256)
    except OSError:
        return False


def changed(detector: Detector) -> str:
    """What a page says where it is not."""
    return _("The file of %(name)s is gone or was changed: register it again.") % {
        "name": detector.name
    }


def _key(detector: Detector) -> tuple[str, str]:
    return detector.storage_name, json.dumps(detector.class_map, sort_keys=True)


@functools.lru_cache(maxsize=2)
def _looking(first: tuple[str, str], second: tuple[str, str] | None, options: str) -> Looking:
    chosen = DetectorSettings.from_dict(json.loads(options))
    engine, labels = _opened(first[0], chosen), json.loads(first[1])
    if second is None:
        return Looking(engine, tuple(labels.get(name) or "" for name in engine.names))
    other, others = _opened(second[0], replace(chosen, layout=None)), json.loads(second[1])
    pair = Pair(Member(engine, labels), Member(other, others))
    ours = {label for label in (*labels.values(), *others.values()) if label}
    return Looking(pair, tuple(name if name in ours else "" for name in pair.names))


def _opened(storage_name: str, chosen: DetectorSettings) -> Engine:
    path = vault.at_hand(storage_name)
    return load_engine(path, chosen, threads=1, providers=settings.INFERENCE_PROVIDERS)
