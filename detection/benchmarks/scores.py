"""Whether the same share gives the same precision at two drawn lakes where the same score does not.

The shipped detector looks at two days of each as a run does; at the second its scores are moved by
HIGHER logits, as another lens or light would. The curve is learnt on the first day, precision is
that of persons' boxes on the second: from the score of figures on, and from the share .5 on.
"""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings

from detection import calibrating, choosing
from detection.datasets import read
from detection.evaluating import compare
from detection.labels import COUNTED_SCORE
from detection.onnx.engine import DetectorSettings, load_engine
from detection.scenes.card import write_card
from detection.scenes.model import View

SEEDS, HIGHER = (1, 12), 1.5
INTERVAL, WIDE, HIGH = 15, 1280, 960
WANTED = 0.5


def measure() -> dict[str, Any]:
    options = DetectorSettings.from_dict(choosing.options())
    engine = load_engine(settings.SHIPPED_DETECTOR, options)
    told = [_lake(engine, seed, place * HIGHER) for place, seed in enumerate(SEEDS)]
    apart = [abs(told[0][name] - told[1][name]) for name in ("share", "score")]
    return {
        "what": "how far precision is apart at two lakes, from the same share and the same score",
        "figure": round(apart[0], 3),
        "unit": "of boxes",
        "peer": round(apart[1], 3),
        "ratio": round(apart[0] / apart[1], 3) if apart[1] else None,
        "conditions": {"lakes": told, "moved by logits": HIGHER},
    }


def _lake(engine: Any, seed: int, higher: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        card = Path(folder) / "card"
        write_card(
            card, days=2, interval_minutes=INTERVAL, view=View(WIDE, HIGH, seed),
            start=date(2025, 7, 25),
        )  # fmt: skip
        examples = read(card)
        pictures = compare(engine, examples)[0]["person"]
    first = examples[0].clock[:10]
    learnt, rest = (
        [each for each, example in zip(pictures, examples, strict=True)
         if (example.clock[:10] == first) is wanted]
        for wanted in (True, False)
    )  # fmt: skip
    scores, hits = (_moved(learnt, higher), np.concatenate([each.hits for each in learnt]))
    curve = calibrating.fit(scores, hits)
    if curve is None:
        return {"score": 0.0, "share": 0.0, "boxes": len(hits), "half from": None}
    scores, hits = (_moved(rest, higher), np.concatenate([each.hits for each in rest]))
    shown = calibrating.share(curve, scores) >= WANTED
    return {
        "score": _mean(hits[scores >= COUNTED_SCORE]),
        "share": _mean(hits[shown]),
        "boxes": len(hits),
        "half from": calibrating.score_for(curve, WANTED),
    }


def _mean(hits: Any) -> float:
    return round(float(hits.mean()), 3) if len(hits) else 0.0


def _moved(pictures: Any, higher: float) -> Any:
    scores = np.concatenate([each.scores for each in pictures]).astype(np.float64)
    held = np.clip(scores, 1e-4, 1 - 1e-4)
    return 1 / (1 + np.exp(-(np.log(held / (1 - held)) + higher)))
