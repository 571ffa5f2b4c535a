"""Reasons that files are given: stored in English, shown in the reader's language.

Pure modules cannot mark words for translation; theirs are marked here, and a test compares them.
"""

from __future__ import annotations

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_noop as _

TOO_LARGE = _("larger than this server takes")
VIDEO = _("video")
DAMAGED_HERE = _("damaged on the server's disk: hand it over again")
NO_PREVIEW = _("waits until the server's disk can be written to")
STOPPED_PROGRAM = _("reading it stopped the program repeatedly")
ELSEWHERE = _("came before with a card of another lake")
# What the browser says of files that it could not send (static/detection/upload.js)
NOT_READ_FROM_CARD = _("could not be read from the card")
CHANGED = _("changed while it was sent")
RESIZED = _("grew or shrank after the folder was chosen: hand the folder over again")

# detection/cards/decode.py
UNDECODABLE = {
    _("the file is empty"),
    _("not a JPEG picture"),
    _("more pixels than this server takes"),
    _("the header is damaged"),
    _("the picture data are damaged"),
}


def stored(words: str | Promise) -> str:
    """Words as they are stored, whatever language the process that stores them speaks."""
    with translation.override(None):
        return str(words)
