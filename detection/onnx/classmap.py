"""From a model's class names to the product's labels: a proposal the administrator corrects."""

from __future__ import annotations

from collections.abc import Iterable

from detection.labels import Label

# Order of the COCO detection challenge, which every COCO-80 model shares.
COCO_80: tuple[str, ...] = (
    "person",
    "bicycle",
    "car",
    "motorcycle",
    "airplane",
    "bus",
    "train",
    "truck",
    "boat",
    "traffic light",
    "fire hydrant",
    "stop sign",
    "parking meter",
    "bench",
    "bird",
    "cat",
    "dog",
    "horse",
    "sheep",
    "cow",
    "elephant",
    "bear",
    "zebra",
    "giraffe",
    "backpack",
    "umbrella",
    "handbag",
    "tie",
    "suitcase",
    "frisbee",
    "skis",
    "snowboard",
    "sports ball",
    "kite",
    "baseball bat",
    "baseball glove",
    "skateboard",
    "surfboard",
    "tennis racket",
    "bottle",
    "wine glass",
    "cup",
    "fork",
    "knife",
    "spoon",
    "bowl",
    "banana",
    "apple",
    "sandwich",
    "orange",
    "broccoli",
    "carrot",
    "hot dog",
    "pizza",
    "donut",
    "cake",
    "chair",
    "couch",
    "potted plant",
    "bed",
    "dining table",
    "toilet",
    "tv",
    "laptop",
    "mouse",
    "remote",
    "keyboard",
    "cell phone",
    "microwave",
    "oven",
    "toaster",
    "sink",
    "refrigerator",
    "book",
    "clock",
    "vase",
    "scissors",
    "teddy bear",
    "hair drier",
    "toothbrush",
)

_PROPOSED: dict[str, Label] = {label.value: label for label in Label} | {
    "surfboard": Label.BOAT,  # a paddle board, on a mountain lake
    "cow": Label.CATTLE,
    "car": Label.VEHICLE,
    "bus": Label.VEHICLE,
    "truck": Label.VEHICLE,
    "motorcycle": Label.VEHICLE,
    "bicycle": Label.VEHICLE,
}


def propose(names: Iterable[str]) -> dict[str, str | None]:
    """For each class name, the value of the label it most likely means; None: leave it out."""
    return {
        name: label.value if (label := _PROPOSED.get(name.strip().lower())) else None
        for name in names
    }
