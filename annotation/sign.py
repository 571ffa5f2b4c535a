"""The text of the sign beside a camera, in the three languages that are spoken there.

A document, not an interface: it is written out in each and never falls back to another.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sign:
    language: str  # code of the language, for the page's `lang`
    name: str
    title: str
    text: str


def signs(
    *, lake: str, park: str, days: int | None, unsettled_days: int | None, on: str
) -> list[Sign]:
    """What is true of this lake: `days`, `unsettled_days` and `on` are its rule of retention."""
    # Read on the last day before it would have gone unread.
    longest = None if unsettled_days is None or days is None else unsettled_days + days
    kept = {
        "fr": _kept(days, longest, on, ("jour", "jour", "jours"), "jusqu’à {} après leur lecture",
                    "{} au plus après le relevé de l’appareil", "jusqu’au {}",
                    "pour la durée de l’étude"),
        "it": _kept(days, longest, on, ("giorni", "giorno", "giorni"), "fino a {} dopo la lettura",
                    "al massimo {} dopo il ritiro dalla fotocamera", "fino al {}",
                    "per la durata dello studio"),
        "en": _kept(days, longest, on, ("days", "day", "days"), "for up to {} after they are read",
                    "for {} at most after they are fetched from the camera", "until {}",
                    "for the time of the study"),
    }  # fmt: skip
    return [
        Sign(
            "fr",
            "Français",
            f"{lake} : un appareil photo compte les visites",
            f"Un appareil photo prend ici une vue du lac à intervalles réguliers pour compter la "
            f"fréquentation. Les personnes sont masquées automatiquement et en entier ; seuls des "
            f"agents habilités peuvent lever un masque, et chaque levée est consignée. Les "
            f"originaux sont conservés {kept['fr']}, puis effacés. Responsable : {park}. "
            f"Vous pouvez demander l’effacement des images de votre passage en "
            f"indiquant le jour et l’heure.",
        ),
        Sign(
            "it",
            "Italiano",
            f"{lake}: una fotocamera conta le presenze",
            f"Una fotocamera riprende qui il lago a intervalli regolari per contare le presenze. "
            f"Le persone sono mascherate automaticamente e per intero; solo personale autorizzato "
            f"può togliere una maschera, e ogni volta resta registrata. Gli originali sono "
            f"conservati {kept['it']}, poi cancellati. Titolare: {park}. Potete chiedere la "
            f"cancellazione delle immagini del vostro passaggio indicando giorno e ora.",
        ),
        Sign(
            "en",
            "English",
            f"{lake}: a camera counts attendance",
            f"A camera takes a picture of the lake here at regular intervals to count attendance. "
            f"People are masked automatically and as a whole; only authorised staff may lift a "
            f"mask, and each time is recorded. The originals are kept {kept['en']}, then erased. "
            f"Responsible: {park}. You may ask for the pictures of your visit to be erased by "
            f"telling the day and hour.",
        ),
    ]


def _kept(
    days: int | None,
    longest: int | None,
    on: str,
    name: tuple[str, str, str],  # of none, of one, of more
    after: str,
    most: str,
    until: str,
    else_: str,
) -> str:
    for count, text in ((longest, most), (days, after)):
        if count is not None:
            return text.format(f"{count} {name[min(count, 2)]}")
    return until.format(on) if on else else_
