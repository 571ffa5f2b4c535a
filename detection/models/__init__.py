"""Survey (where and when), cards (what came in), runs (what the machine said)."""

from detection.models.cards import (
    Batch,
    CardFile,
    ClockCorrection,
    Frame,
    Lifting,
    Purge,
    Retention,
)
from detection.models.runs import (
    Calibration,
    Candidate,
    CandidateFrame,
    Decision,
    Detection,
    Detector,
    Run,
    RunFrame,
    Suppression,
    TaughtFrame,
    Trial,
)
from detection.models.survey import EARLIEST_START, Camera, Deployment, Zone

__all__ = [
    "EARLIEST_START",
    "Batch",
    "Calibration",
    "Camera",
    "Candidate",
    "CandidateFrame",
    "CardFile",
    "ClockCorrection",
    "Decision",
    "Deployment",
    "Detection",
    "Detector",
    "Frame",
    "Lifting",
    "Purge",
    "Retention",
    "Run",
    "RunFrame",
    "Suppression",
    "TaughtFrame",
    "Trial",
    "Zone",
]
