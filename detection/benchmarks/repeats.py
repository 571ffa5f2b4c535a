"""What becomes of a stone that is taken for a person, and of people and tents, on drawn days.

The detector is drawn too (detection/benchmarks/drawn.py: it finds 90 % of what there is, and takes
one stone for a person in 70 % of the sunny frames), so that the truth of every box is known; the
evidence is the real background's.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from detection.benchmarks.drawn import ROCK, draw, sight
from detection.onnx.repeats import repeats
from detection.scenes.model import View
from detection.scenes.plan import plan

SEEDS, DAYS, INTERVAL = (1, 2, 3), 3, 30
SIZE = (640, 480)
AIM = 0.9


def measure() -> dict[str, Any]:
    """Share of the stone's boxes that are suppressed, against the aim; in `conditions` what became
    of all others.
    """
    all_: Counter[str] = Counter()
    gone: Counter[str] = Counter()
    for seed in SEEDS:
        days = draw(View(*SIZE, seed=seed), plan(date(2025, 7, 25), DAYS, INTERVAL, seed))
        sightings, held = sight(days, seed)
        reasons = repeats(sightings, days.instants, days.light)
        all_.update(held)
        gone.update(kind for kind, why in zip(held, reasons, strict=True) if why)
    share = gone[ROCK] / all_[ROCK]
    return {
        "what": "boxes of a stone that are suppressed; limit: the aim",
        "figure": round(share, 3),
        "unit": "of the stone's boxes",
        "limit": AIM,
        "ratio": round(share / AIM, 3),
        "conditions": {
            **{f"suppressed {kind}": f"{gone[kind]} of {all_[kind]}" for kind in sorted(all_)},
            "frames": f"{len(SEEDS)} drawn lakes of {SIZE[0]}×{SIZE[1]} px, {DAYS} days each, one "
            f"every {INTERVAL} minutes",
        },
    }
