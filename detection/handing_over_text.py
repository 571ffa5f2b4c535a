"""Every word that the scripts of handing over a card show; they hold none of their own.

Words in braces are filled in by the browser; `…_one` and `…_other` are chosen there by the number.
"""

from __future__ import annotations

from django.utils.translation import gettext as _


def handing_over_text() -> dict[str, str]:
    """Key → words in the active language."""
    return {
        # The folder
        "looking": _("Looking through the folder…"),
        "found_one": _("{n} file, {size}"),
        "found_other": _("{n} files, {size}"),
        "left_out_one": _("{n} thing that a computer left on the card is not taken"),
        "left_out_other": _("{n} things that a computer left on the card are not taken"),
        "nothing": _(
            "This folder holds no files. Choose the card's own folder, often called DCIM."
        ),
        "unlisted": _(
            "{path} cannot be read, so nothing was taken. Put the card back in and drop the folder "
            "again."
        ),
        "too_many": _("A card may hold {n} files. Hand over one folder of it at a time."),
        "no_folders": _(
            "This browser cannot choose folders. Choose the pictures themselves, all of them at "
            "once, or use Chrome, Edge or Firefox on a computer."
        ),
        "choose_files": _("Choose the pictures"),
        "camera_is": _("The pictures are from camera {serial}."),
        "camera_proposed": _("The pictures are from camera {serial}: its deployment is chosen."),
        "camera_unknown": _("The pictures do not say which camera they are from."),
        "camera_elsewhere": _(
            "The pictures are from camera {serial}, which has no deployment at this lake. Choose "
            "the deployment with care."
        ),
        "choose_deployment": _("Choose the deployment first."),
        # On the way
        "preparing": _("Comparing the card with what has arrived before…"),
        "going_on": _("Going on where it was interrupted: {n} files are safe already."),
        "sending": _("Sending"),
        "closing": _("Asking for the receipt…"),
        "done": _("The receipt is coming…"),
        "paused": _("Paused. What has arrived is safe."),
        "files_of": _("{done} of {all} files"),
        "bytes_of": _("{done} of {all}"),
        "known_one": _("{n} was here already"),
        "known_other": _("{n} were here already"),
        "minutes_left_one": _("about {n} minute left"),
        "minutes_left_other": _("about {n} minutes left"),
        "hours_left": _("about {hours} h {minutes} min left"),
        "time_unknown": _("time left not known yet"),
        "under_a_minute": _("less than a minute left"),
        "megabytes": _("{n} MB"),
        "gigabytes": _("{n} GB"),
        # Waiting: for what, and that nothing is lost
        "wait_line": _(
            "Waiting for the line. What has arrived is safe; sending goes on by itself as soon as "
            "the connection is back."
        ),
        "wait_busy": _(
            "The server is busy or restarting. What has arrived is safe; sending goes on by itself."
        ),
        "wait_full": _(
            "The server's disk is full. What has arrived is safe. Tell your administrator; sending "
            "goes on by itself as soon as there is room."
        ),
        "wait_signed_out": _(
            "You are signed out. Sign in again in another tab, then come back here: sending goes "
            "on by itself."
        ),
        "wait_card": _(
            "The card can no longer be read. Put it back in, then go on. If that does not help, "
            "reload this page and choose the folder again: only what is missing is sent."
        ),
        "sign_in": _("Sign in in another tab"),
        "try_now": _("Try now"),
        "pause": _("Pause"),
        "go_on": _("Go on"),
        # The end
        "stopped": _("Sending has stopped: {reason}"),
        "failures_one": _("{n} file could not be sent"),
        "failures_other": _("{n} files could not be sent"),
        "not_read": _("could not be read from the card"),
        "too_large": _("larger than this server takes"),
        "changed": _("changed while it was sent"),
        "resized": _("grew or shrank after the folder was chosen: hand the folder over again"),
        "close_anyway_hint": _(
            "Try again, or finish without these files: the receipt will name them and will not say "
            "that the card may be erased. Where a file was changed after you chose the folder, "
            "reload this page and choose the folder again."
        ),
        "try_failed_again": _("Try these again"),
        "close_anyway": _("Finish without them"),
        # Shown by old browsers when the page is left
        "leave": _("The card has not been sent completely."),
    }
