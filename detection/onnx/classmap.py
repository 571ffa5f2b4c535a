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

# COCO's categories 1 to 90 as TensorFlow's models number them (from 0 here): ten were never used.
_UNUSED = frozenset({12, 26, 29, 30, 45, 66, 68, 69, 71, 83})
_rest = iter(COCO_80)
COCO_90: tuple[str, ...] = tuple(
    f"class {number}" if number in _UNUSED else next(_rest) for number in range(1, 91)
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
