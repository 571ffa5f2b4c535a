"""What the drawing of zones says: the scripts hold no words of their own."""

from __future__ import annotations

from django.utils.translation import gettext as _

from detection.zoning import FEWEST, MOST, MOST_ZONES, Refused


def words() -> dict[str, str]:
    """Texts of detection/static/detection/zones.js; {n}, {x} and {y} are filled in there."""
    return {
        "corner": _("Corner {n}: from the left {x} %, from the top {y} %"),
        "zone": _("Zone {n}"),
        "listed": _("Zone {n}: {kind}"),
        "across": _("Corner {n}, from the left (%)"),
        "down": _("Corner {n}, from the top (%)"),
        "remove_corner": _("Remove corner {n}"),
        "unsaved": _("Not saved yet"),
        "saved": _("Saved"),
        "saving": _("Saving…"),
        "few": _("Zone {n} needs at least three corners. Add some, or delete it."),
        "many": _("A zone has at most {n} corners."),
        "failed": _("It could not be saved: the connection is gone. Try again in a moment."),
        "none": _("No zone is drawn yet."),
    }


def refusal(refused: Refused) -> str:
    texts = {
        "shape": _("These zones cannot be read; at most %(zones)d are kept."),
        "kind": _("Zone %(n)d is of no known kind."),
        "corners": _("Zone %(n)d needs from %(fewest)d to %(most)d corners."),
        "outside": _("A corner of zone %(n)d lies outside the picture."),
        "crossed": _("The outline of zone %(n)d crosses itself: move a corner."),
    }
    known = {"n": refused.number, "fewest": FEWEST, "most": MOST, "zones": MOST_ZONES}
    return texts[refused.why] % known


def overtaken() -> str:
    return _("Somebody else has drawn zones here meanwhile. Load this page again to see them.")
