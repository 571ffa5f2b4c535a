"""The sign beside a camera, in its three languages."""

from __future__ import annotations

import pytest

from annotation.sign import signs


@pytest.mark.parametrize(
    ("days", "unsettled", "french", "italian", "english"),
    [
        (0, None, "jusqu’à 0 jour après", "fino a 0 giorni dopo", "up to 0 days after"),
        (1, None, "jusqu’à 1 jour après", "fino a 1 giorno dopo", "up to 1 day after"),
        (30, None, "jusqu’à 30 jours après", "fino a 30 giorni dopo", "up to 30 days after"),
        (0, 1, "1 jour au plus", "al massimo 1 giorno dopo", "for 1 day at most"),
        (30, 60, "90 jours au plus", "al massimo 90 giorni dopo", "for 90 days at most"),
    ],
)
def test_one_day_is_no_plural(
    days: int, unsettled: int | None, french: str, italian: str, english: str
) -> None:
    found = signs(lake="Lac", park="Parc", days=days, unsettled_days=unsettled, on="")
    said = {sign.language: sign.text for sign in found}
    assert f"conservés {french}" in said["fr"]
    assert f"conservati {italian}" in said["it"]
    assert english in said["en"]
