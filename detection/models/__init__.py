"""Survey (where and when), cards (what came in), runs (what the machine said)."""

from detection.models.cards import Batch, CardFile, Frame
from detection.models.runs import Detection, Detector, Run, RunFrame
from detection.models.survey import Camera, Deployment, Zone

__all__ = [
    "Batch", "Camera", "CardFile", "Deployment", "Detection", "Detector", "Frame", "Run",
    "RunFrame", "Zone",
]  # fmt: skip
