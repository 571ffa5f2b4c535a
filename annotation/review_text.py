"""Every word that the review page's scripts show; the scripts hold none of their own.

The template reads the same dictionary, so that a button, its tooltip and the help panel say the
same. Words in braces are filled in by the browser; `…_one` and `…_other` are chosen there by the
number. Does not hold the names of classes and activities: those come with their choices.
"""

from __future__ import annotations

from django.utils.translation import gettext as _


def review_text() -> dict[str, str]:
    """Key → words in the active language."""
    return {
        **_commands(),
        **_key_caps(),
        **_page(),
        **_boxes(),
        **_said(),
        **_line(),
    }


def _commands() -> dict[str, str]:
    """What the key table's commands do: buttons, tooltips and the help panel."""
    return {
        "group_decide": _("Decide"),
        "group_boxes": _("Boxes"),
        "group_sheets": _("Contact sheet and crops"),
        "group_view": _("Look"),
        "group_frames": _("Frames"),
        "validate": _("Validate all boxes shown, next frame"),
        "validate_from_field": _("Validate from inside a field"),
        "nobody": _("Nobody here, next frame"),
        "unreadable": _("Unreadable, next frame"),
        "skip": _("Skip this frame"),
        "flag": _("Flag to the ranger"),
        "undo": _("Undo, back to the last decision"),
        "redo": _("Redo"),
        "save": _("Save (each change is saved already)"),
        "next_frame": _("Next frame of this sitting"),
        "previous_frame": _("Previous frame of this sitting"),
        "blink": _("Show the picture before"),
        "difference": _("What differs from the picture before"),
        "next_open": _("Next frame to check"),
        "previous_open": _("Previous frame to check"),
        "next_ten": _("Ten frames on"),
        "previous_ten": _("Ten frames back"),
        "first": _("First frame of this sitting"),
        "last": _("Last frame of this sitting"),
        "go_to": _("Go to a time"),
        "spread": _("Copy the selected boxes to the next frames"),
        "sheet": _("Contact sheet: many frames at once; again: the frame at the cursor"),
        "crops": _("Crops: the machine’s boxes side by side; again: the frame at the cursor"),
        "step": _("Go from one to the next"),
        "closer": _("Look closer, and back"),
        "mark": _("Mark: leave out when all are confirmed"),
        "confirm_all": _("Confirm all that were seen and are not marked, then open the marked"),
        "keep_crop": _("Keep the box, next"),
        "refuse_crop": _("Refuse the box, next"),
        "label_crop": _("Another class, next"),
        "activity_crop": _("Activity, next"),
        "keep_all": _("Keep all that are left on the page"),
        "next_class": _("Next class of the machine"),
        "previous_class": _("Previous class of the machine"),
        "draw": _("Draw a box"),
        "add_centre": _("Put a box at the centre, without dragging"),
        "cancel": _("Cancel, deselect, back to the picture"),
        "set_label": _("Class of the selected box, else of the next"),
        "set_activity": _("Activity of the selected box, else of the next"),
        "accept": _("Accept the selected suggestion"),
        "bring_back": _("Bring back what was left out"),
        "next_box": _("Next box, then leave the picture"),
        "previous_box": _("Previous box, then leave the picture"),
        "select_all": _("Select all boxes"),
        "move": _("Move the box by 1 pixel"),
        "move_far": _("Move the box by 10 pixels"),
        "resize": _("Resize the box by 1 pixel"),
        "resize_far": _("Resize the box by 10 pixels"),
        "remove": _("Delete the box"),
        "copy_last": _("Copy the boxes of the last frame"),
        "copy": _("Copy the selected boxes, or all"),
        "paste": _("Paste boxes"),
        "zoom_in": _("Zoom in"),
        "zoom_out": _("Zoom out"),
        "fit": _("Whole picture"),
        "zoom_box": _("Zoom to the box, and back"),
        "pan": _("Drag the picture"),
        "hide_boxes": _("Hide the boxes"),
        "names": _("Names beside the boxes"),
        "crosshair": _("Crosshair lines"),
        "tone": _("Brightness and contrast"),
        "tone_reset": _("Reset brightness and contrast"),
        "help": _("Help and keys"),
        "hold": _("hold the key"),
    }


def _key_caps() -> dict[str, str]:
    """Keys as printed on a keyboard."""
    return {
        "cap_enter": _("Enter"),
        "cap_escape": _("Esc"),
        "cap_tab": _("Tab"),
        "cap_space": _("Space"),
        "cap_delete": _("Del"),
        "cap_backspace": _("Backspace"),
        "cap_ctrl": _("Ctrl"),
        "cap_alt": _("Alt"),
        "cap_shift": _("Shift"),
        "cap_home": _("Home"),
        "cap_end": _("End"),
        "cap_page_up": _("Page up"),
        "cap_page_down": _("Page down"),
        "cap_arrows": _("arrows"),
    }


def _page() -> dict[str, str]:
    """Words that stand on the page."""
    return {
        "title": _("Check frames"),
        "leave": _("Leave"),
        "viewer": _("Picture with its boxes"),
        "viewer_hint": _(
            "Tab goes from box to box and then out of the picture. "
            "Enter validates all boxes shown. Question mark opens the help. "
            "The same boxes are listed after the picture."
        ),
        "views": _("Ways to check"),
        "view_frame": _("Frame"),
        "view_sheet": _("Contact sheet"),
        "sheet_hint": _(
            "Look for people whom no box shows: the pointer, or a finger that stays, enlarges. A "
            "tap marks what is not right; one key confirms all the others as shown, then the "
            "marked ones open."
        ),
        "marked": _("marked"),
        "view_crops": _("Crops"),
        "crops_hint": _(
            "The machine’s boxes of one class. Keep, refuse or give another class; a second tap "
            "refuses. The frames are stated afterwards, once you have looked for people whom the "
            "machine missed."
        ),
        "crops_done": _("No box of the machine is left to judge"),
        "crops_done_text": _(
            "Now look over the whole frames: only there do people show whom the machine missed."
        ),
        "crops_go_on": _("To the contact sheet"),
        "crop_kept": _("kept"),
        "crop_changed": _("changed"),
        "crop_refused": _("refused"),
        "tools": _("Tools"),
        "decision": _("Your decision"),
        "panel": _("Boxes"),
        "masked": _("People masked"),
        "unmask": _("Lift the mask"),
        "machine_waiting": _("The machine has not read this frame yet"),
        "picture_loading": _("The picture is coming…"),
        "picture_failed": _("The picture could not be loaded."),
        "retry_picture": _("Load it again"),
        "blinking": _("Picture before: {time}"),
        "differing": _("Difference from the picture before, {time}"),
        "times_typed": _("Time, as in 08:35 or 0835"),
        "to_check": _("to check"),
        "no_such_time": _("No frame of this sitting has this time."),
        "spread_ask_one": _("{n} box goes onto so many of the next frames:"),
        "spread_ask_other": _("{n} boxes go onto so many of the next frames:"),
        "spread_do": _("Copy"),
        "armed": _("Drag on the picture to draw one box. Esc gives up."),
        "button_validate": _("Validate"),
        "button_nobody": _("Nobody here"),
        "button_unreadable": _("Unreadable"),
        "button_open": _("Open"),
        "button_as_shown": _("As shown"),
        "button_confirm_all": _("Confirm all not marked"),
        "button_refuse": _("Refuse"),
        "button_keep": _("Keep"),
        "button_keep_all": _("Keep all that are left"),
        "button_skip": _("Skip"),
        "button_flag": _("Flag"),
        "validate_boxes_one": _("{n} box"),
        "validate_boxes_other": _("{n} boxes"),
        "validate_none": _("nobody"),
        "done_today_one": _("{n} done today"),
        "done_today_other": _("{n} done today"),
        "left_one": _("{n} left"),
        "left_other": _("{n} left"),
        "class": _("Class"),
        "activity": _("Activity"),
        "no_activity": _("not said"),
        "target_next": _("for the next box"),
        "target_selected_one": _("of the selected box"),
        "target_selected_other": _("of {n} selected boxes"),
        "comment": _("Note on this frame"),
        "brightness": _("Brightness"),
        "contrast": _("Contrast"),
        "reset": _("Reset"),
        "close": _("Close"),
        "characters": _("Single keys (letters, digits, signs) give commands"),
        "characters_hint": _(
            "Switch this off if you speak to your device or press keys by accident; every key has "
            "a button, and Enter, Tab, Esc, arrows and combinations with Ctrl go on working."
        ),
        "rounds": _("Stop after every twenty frames and say what they gave"),
        "round": _("{n} of {all}"),
        "round_title": _("Twenty frames done"),
        "round_saved": _("Everything is kept. You can stop here at any time, and go on later."),
        "round_on": _("Twenty more"),
        "round_pause": _("Enough for now"),
        "help_intro": _(
            "Dashed boxes with a question mark are suggestions of the machine; boxes with a full "
            "line are yours. “Validate” states that all boxes shown are right, suggestions "
            "included, and that nothing else is there: delete what is wrong first."
        ),
        "help_mouse": _(
            "Mouse: drag beside the boxes to draw one, on a box to move it, on a handle to resize "
            "it; the wheel zooms; the middle button, or Space, drags the picture. Click again at "
            "the same place to reach the box below; Shift and click selects several."
        ),
        "help_touch": _(
            "Touch: tap a box to select it, drag it or its handles; two fingers zoom and move the "
            "picture; “+” draws one box."
        ),
        "help_focus": _("Keys work while the picture has the focus; Esc brings it back."),
        "rest_claiming": _("Looking for frames…"),
        "rest_claiming_text": _("The next pictures are being fetched."),
        "rest_line": _("The line is down"),
        "rest_line_text": _("Frames will come as soon as it is back. Your work is kept here."),
        "rest_empty": _("Nothing is left to check"),
        "rest_empty_text": _("Every frame that waits for you here is done. Thank you!"),
        "rest_others": _("Nothing for you just now"),
        "rest_others_text": _("The frames that are left ({n}) are with other people."),
        "rest_failed": _("No frames could be fetched"),
        "rest_failed_text": _("The server gave a reason, shown above."),
        "go_home": _("Back to the lake"),
        "again": _("Look again"),
    }


def _boxes() -> dict[str, str]:
    """Boxes in words."""
    return {
        "boxes_one": _("{n} box"),
        "boxes_other": _("{n} boxes"),
        "no_boxes": _("no boxes"),
        "no_boxes_hint": _("No box on this frame. Drag on the picture to draw one."),
        "suggested_hint_one": _("{n} suggestion of the machine; “Validate” accepts it."),
        "suggested_hint_other": _("{n} suggestions of the machine; “Validate” accepts them."),
        "left_out_one": _("{n} box is left out: you took the same away before."),
        "left_out_other": _("{n} boxes are left out: you took the same away before."),
        "followed_one": _("{n} tent follows from this night; delete it once it has gone."),
        "followed_other": _("{n} tents follow from this night; delete them once they have gone."),
        "suggested": _("suggested, {score}"),
        "name_suggested": _("{box}?"),
        "line_suggested": _("{box}? {score}"),
        "count_of": _("{n} × {label}"),
        "field_x": _("Left"),
        "field_y": _("Top"),
        "field_w": _("Width"),
        "field_h": _("Height"),
        "box_selected": _("Box {place} of {n}: {box}"),
        "frame_shown": _("{time}: {boxes}"),
        "verdict_boxes": _("You validated the boxes"),
        "verdict_nobody": _("You said: nobody here"),
        "verdict_unreadable": _("You said: unreadable"),
        "verdict_skip": _("You skipped this frame"),
        "verdict_flag": _("You flagged this frame"),
        "verdict_dropped": _("This frame is with someone else"),
    }


def _said() -> dict[str, str]:
    """Passing words after a command."""
    return {
        "said_boxes_one": _("{time}: {n} box validated"),
        "said_boxes_other": _("{time}: {n} boxes validated"),
        "said_nobody": _("{time}: nobody here"),
        "said_unreadable": _("{time}: unreadable"),
        "said_skip": _("{time}: skipped"),
        "said_flag": _("{time}: flagged to the ranger"),
        "said_all_one": _("{n} frame confirmed as shown."),
        "said_all_other": _("{n} frames confirmed as shown."),
        "crops_unseen": _("Nothing was kept: the boxes that are left were not seen yet."),
        "crops_kept_one": _("{n} box kept"),
        "crops_kept_other": _("{n} boxes kept"),
        "sheet_unseen_one": _(
            "{n} frame was not seen: scroll to it, wait for its picture or open it."
        ),
        "sheet_unseen_other": _(
            "{n} frames were not seen: scroll to them, wait for their pictures or open them."
        ),
        "nobody_sure_one": _("You stated a box here: press again to say that nobody is here."),
        "nobody_sure_other": _(
            "You stated {n} boxes here: press again to say that nobody is here."
        ),
        "picture_not_seen": _("Wait for the picture: it has not come yet."),
        "already_saved": _("Already saved: each change is kept at once."),
        "no_next": _("Decide on this frame first: no other is waiting."),
        "no_previous": _("This is the first frame of this sitting."),
        "no_earlier_picture": _("There is no picture before this one."),
        "nothing_to_undo": _("Nothing to undo or redo."),
        "step_done": _("Done"),
        "added_centre": _("A box lies at the centre; the arrow keys move it."),
        "copied_last_one": _("{n} box copied from the last frame"),
        "copied_last_other": _("{n} boxes copied from the last frame"),
        "nothing_to_copy": _("The last frame has no box that is missing here."),
        "brought_back_one": _("{n} box is back, and will be shown on other frames too"),
        "brought_back_other": _("{n} boxes are back, and will be shown on other frames too"),
        "nothing_left_out": _("Nothing was left out on this frame."),
        "copied_one": _("{n} box copied"),
        "copied_other": _("{n} boxes copied"),
        "spread_nothing": _("Select the boxes first that the next frames shall have."),
        "spread_nowhere": _("No other frame of this viewpoint waits in this sitting."),
        "spread_done_one": _("Copied onto {n} frame; one undo takes it back"),
        "spread_done_other": _("Copied onto {n} frames; one undo takes it back"),
        "pasted_one": _("{n} box pasted"),
        "pasted_other": _("{n} boxes pasted"),
        "names_on": _("Names are shown"),
        "names_off": _("Names are hidden, but for the selected box"),
        "crosshair_on": _("Crosshair lines are shown"),
        "crosshair_off": _("Crosshair lines only while drawing"),
        "recovered": _("Work that had not been sent was found and put back."),
    }


def _line() -> dict[str, str]:
    """What became of the work: saved, on its way, or in question."""
    return {
        "state_saved": _("Saved"),
        "state_saving": _("Saving…"),
        "state_waiting_one": _("Line down, {n} waiting"),
        "state_waiting_other": _("Line down, {n} waiting"),
        "state_signedout": _("Signed out"),
        "state_attention": _("Needs your answer"),
        "line_down": _("The line is down; try again in a moment."),
        "signed_out": _(
            "You are signed out. Sign in again in another tab: your work is kept here and goes on "
            "its way by itself; or reload this page."
        ),
        "reload": _("Reload"),
        "refused": _("The frame of {time} was not taken: {detail}"),
        "understood": _("Understood"),
        "feedback": _("{time}: {said}"),
        "lost": _(
            "The frame of {time} was held for you too long ago, and may be with someone else. Your "
            "work on it is kept here."
        ),
        "lost_still": _("The frame of {time} is still with someone else. Your work is kept here."),
        "try_again": _("Try again"),
        "let_go": _("Let it go"),
        "conflict": _("The frame of {time} was changed elsewhere, in another tab perhaps."),
        "compare": _("Compare and choose"),
        "conflict_title": _("Two versions of this frame"),
        "conflict_mine": _("Here"),
        "conflict_theirs": _("Elsewhere"),
        "conflict_keep_mine": _("Keep these"),
        "conflict_keep_theirs": _("Keep those"),
        "not_now": _("Not now"),
    }
