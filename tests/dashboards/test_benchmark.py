"""The benchmark of figures, on a small survey: it measures real pages and leaves nothing."""

from __future__ import annotations

import pytest

from dashboards.benchmarks.dashboard import measure
from detection.models import Detection, Frame
from lacs_web.models import Lake


@pytest.mark.django_db
def test_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"FRAMES": "800", "DETECTIONS": "1600", "LAKES": "2"}.items():
        monkeypatch.setenv(f"LACS_BENCH_{name}", value)
    found = measure()
    assert found["conditions"]["frames"] == 800
    for page in found["measured"].values():
        assert 0 < page["queries"] <= found["limit"]["queries"]
        assert page["ms"] > 0
    assert found["peer"]["ms"] > 0
    for kind in (Lake, Frame, Detection):
        assert not kind.objects.exists()
