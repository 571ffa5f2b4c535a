"""Every address × method, and the right that it asks for: the table that test_addresses runs.

PUBLIC: anybody. SIGNED_IN: anybody who is signed in. OFFICER: who manages a lake, any lake. An
Action: those whose role at the lake has it (403 for those who only see the lake, 404 for those who
do not). A method that is missing is refused (405) to those who may use another method of the
address.
"""

from __future__ import annotations

from lacs_web.access import Action

PUBLIC, SIGNED_IN, OFFICER = "public", "signed in", "manages any lake"
Right = Action | str

TABLE: dict[str, dict[str, Right]] = {
    # lacs_web
    "healthz": {"GET": PUBLIC},
    "manual": {"GET": PUBLIC},
    "manual-role": {"GET": PUBLIC},
    "signin": {"GET": PUBLIC, "POST": PUBLIC},
    "administration-signin": dict.fromkeys(("GET", "POST", "PUT", "PATCH", "DELETE"), PUBLIC),
    "administration-password": dict.fromkeys(("GET", "POST", "PUT", "PATCH", "DELETE"), SIGNED_IN),
    "signin-code": {"GET": PUBLIC, "POST": PUBLIC},
    "signin-link": {"GET": PUBLIC, "POST": PUBLIC},
    "account": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "account-sessions": {"POST": SIGNED_IN},
    "account-code": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "account-tokens": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "account-token-end": {"POST": SIGNED_IN},
    "account-delete": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "invitation": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "signout": {"POST": SIGNED_IN},
    "set_language": {"POST": PUBLIC},
    "trail": {"GET": Action.PRIVACY},
    "people": {"GET": Action.PEOPLE, "POST": Action.PEOPLE},
    "people-role": {"POST": Action.PEOPLE},
    "people-link": {"POST": Action.PEOPLE},
    # detection
    "detection:health": {"GET": OFFICER},
    "detection:metrics": {"GET": OFFICER},
    "detection:cards": {"GET": Action.READ_CARDS},
    "detection:hand-over": {"GET": Action.UPLOAD},
    "detection:batch": {"GET": Action.READ_CARDS},
    "detection:batch-state": {"GET": Action.READ_CARDS},
    "detection:clock": {"GET": Action.READ_CARDS, "POST": Action.UPLOAD},
    "detection:clock-right": {"POST": Action.UPLOAD},
    "detection:correction-undo": {"POST": Action.UPLOAD},
    "detection:quarantine-card": {"GET": Action.READ_CARDS, "POST": Action.UPLOAD},
    "detection:card-move": {"GET": Action.UPLOAD, "POST": Action.UPLOAD},
    "detection:quarantine": {"GET": Action.READ_CARDS},
    "detection:schedule": {"POST": Action.MANAGE},
    "detection:split": {"POST": Action.MANAGE},
    "detection:stamp": {"GET": Action.UNMASK},
    "detection:api-propose": {"POST": Action.UPLOAD},
    "detection:api-cards": {"POST": Action.UPLOAD},
    "detection:api-receipt": {"GET": Action.READ_CARDS},
    "detection:api-manifest": {"POST": Action.UPLOAD},
    "detection:api-recognise": {"POST": Action.UPLOAD},
    "detection:api-file": {"PUT": Action.UPLOAD},
    "detection:api-close": {"POST": Action.UPLOAD},
    "detection:deployments": {"GET": Action.READ_CARDS},
    "detection:deployment-new": {"GET": Action.MANAGE, "POST": Action.MANAGE},
    "detection:deployment": {"GET": Action.READ_CARDS},
    "detection:deployment-edit": {"GET": Action.MANAGE, "POST": Action.MANAGE},
    "detection:zones": {"POST": Action.MANAGE},
    "detection:runs": {"GET": Action.READ_CARDS},
    "detection:run-start": {"POST": Action.DETECT},
    "detection:kept-end": {"POST": Action.DETECT},
    "detection:try": {"POST": Action.DETECT},
    "detection:run": {"GET": Action.READ_CARDS},
    "detection:run-pause": {"POST": Action.DETECT},
    "detection:run-repeat": {"POST": Action.DETECT},
    "detection:runs-beside": {"GET": Action.READ_CARDS},
    "detection:trial": {"GET": Action.DETECT},
    "detection:trial-state": {"GET": Action.DETECT},
    "detection:background": {"GET": Action.SEE_PICTURES},
    "detection:picture": {"GET": Action.SEE_PICTURES},
    # annotation
    "annotation:privacy": {"GET": Action.PRIVACY, "POST": Action.PRIVACY},
    "annotation:review": {"GET": Action.REVIEW},
    "annotation:claim": {"POST": Action.REVIEW},
    "annotation:round": {"GET": Action.REVIEW},
    "annotation:frame": {"GET": Action.REVIEW},
    "annotation:draft": {"PUT": Action.REVIEW},
    "annotation:reviews": {"POST": Action.REVIEW},
    "annotation:unmask": {"POST": Action.UNMASK},  # volunteers too, on a frame they hold
    "annotation:tutorial": {"GET": Action.REVIEW},
    "annotation:tutorial-claim": {"POST": Action.REVIEW},
    "annotation:lesson": {"GET": SIGNED_IN},
    "annotation:lesson-draft": {"PUT": SIGNED_IN},
    "annotation:lesson-reviews": {"POST": SIGNED_IN},
    "annotation:lesson-picture": {"GET": SIGNED_IN},
    "annotation:desk": {"GET": Action.REVIEW},
    "annotation:rule": {"GET": Action.MANAGE, "POST": Action.MANAGE},
    "annotation:thread": {"GET": Action.REVIEW, "POST": Action.REVIEW},
    "annotation:agree": {"POST": Action.SETTLE},
    # dashboards
    "home": {"GET": SIGNED_IN},
    "dashboards:lake": {"GET": Action.READ_FIGURES},
    "dashboards:effort": {"GET": Action.MANAGE},
    "dashboards:attendance-csv": {"GET": Action.READ_FIGURES},
    "dashboards:overview": {"GET": SIGNED_IN},
    "dashboards:days": {"POST": Action.MANAGE},
    "dashboards:calendar": {"GET": Action.MANAGE, "POST": Action.MANAGE},
    "dashboards:school-year": {"POST": Action.MANAGE},
    "dashboards:holiday": {"GET": Action.MANAGE, "POST": Action.MANAGE},
    "dashboards:exports": {"GET": Action.READ_FIGURES},
    "dashboards:export-figures": {"GET": Action.READ_FIGURES},
    "dashboards:export-frames": {"GET": Action.EXPORT},
    "dashboards:links": {"GET": Action.SHARE, "POST": Action.SHARE},
    "dashboards:link-end": {"POST": Action.SHARE},
    "dashboards:shared": {"GET": PUBLIC},  # whoever holds the secret
    "dashboards:shared-lake": {"GET": PUBLIC},
}
