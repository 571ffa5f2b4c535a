"""`python -m detection.training.attribution FOLDER …`: whose pictures a training used, as the
Markdown table of a model card: a row for each, with its licence and address.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path


def table(folders: Sequence[Path]) -> str:
    """Rows for the COCO data sets in `folders`; KeyError where a picture states no licence and
    its folder's `SOURCE.txt` none for all.
    """
    rows = ["| picture | licence | source |", "|---|---|---|"]
    for folder in folders:
        images = json.loads((folder / "annotations.json").read_text(encoding="utf-8"))["images"]
        common = _common_licence(folder / "SOURCE.txt")
        for image in images:
            licence = image.get("licence") or common
            if not licence:
                raise KeyError(f"{image['file_name']} of {folder} states no licence")
            address = image.get("licence_url")
            shown = f"[{licence}]({address})" if address else licence
            original = str(image.get("orig", image["file_name"])).split("@")[0]
            rows.append(f"| {original} | {shown} | {image.get('flickr_url', '')} |")
    return "\n".join(rows)


def _common_licence(source: Path) -> str:
    lines = source.read_text(encoding="utf-8").splitlines() if source.is_file() else []
    stated = [
        line.removeprefix("licence:").strip() for line in lines if line.startswith("licence:")
    ]
    return stated[0] if stated and len(stated[0]) < 40 else ""


if __name__ == "__main__":
    print(table([Path(each) for each in sys.argv[1:]]))  # noqa: T201
