"""Detectors that others published under a permissive licence, and where: data, and the only place
where such addresses are. `manage.py fetch_detector` reads it.

MegaDetector 6 is not here: of its variants under MIT and Apache-2.0 only PyTorch weights are
published, no ONNX file.
"""

from __future__ import annotations

from dataclasses import dataclass

_YOLOX = "https://github.com/Megvii-BaseDetection/YOLOX"


@dataclass(frozen=True)
class Published:
    """`sha256`: "" where the first file that was fetched says it (Detector.sha256)."""

    title: str
    address: str
    licence: str
    licence_text: str  # its address
    layout: str
    sha256: str = ""


def _yolox(size: str, sha256: str = "") -> Published:
    return Published(
        title=f"YOLOX-{size} (COCO)",
        address=f"{_YOLOX}/releases/download/0.1.1rc0/yolox_{size}.onnx",
        licence="Apache-2.0",
        licence_text=f"{_YOLOX}/blob/main/LICENSE",
        layout="yolox",
        sha256=sha256,
    )


MODELS: dict[str, Published] = {
    "yolox-tiny": _yolox(
        "tiny", "427cc366d34e27ff7a03e2899b5e3671425c262ea2291f88bb942bc1cc70b0f7"
    ),
    "yolox-s": _yolox("s", "c5c2d13e59ae883e6af3b45daea64af4833a4951c92d116ec270d9ddbe998063"),
    "yolox-m": _yolox("m"),
}
