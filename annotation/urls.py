"""Addresses of checking."""

from __future__ import annotations

from django.urls import path

from annotation import (
    api,
    candidate_views,
    desk,
    import_views,
    privacy,
    setting_aside,
    tutorial,
    views,
)

app_name = "annotation"
urlpatterns = [
    path("lakes/<slug:lake>/privacy/", privacy.privacy, name="privacy"),
    path("lakes/<slug:lake>/import/", import_views.bring_in, name="import"),
    path("imports/<int:brought>/undo", import_views.undo, name="import-undo"),
    path("lakes/<slug:lake>/review/", views.review, name="review"),
    path("lakes/<slug:lake>/review/claim", api.claim, name="claim"),
    path("lakes/<slug:lake>/review/round", api.round_, name="round"),
    path("lakes/<slug:lake>/review/tutorial/", tutorial.tutorial, name="tutorial"),
    path("lakes/<slug:lake>/review/tutorial/claim", tutorial.claim, name="tutorial-claim"),
    path("lessons/<int:lesson>", tutorial.lesson, name="lesson"),
    path("lessons/<int:lesson>/draft", tutorial.draft, name="lesson-draft"),
    path("lessons/<int:lesson>/reviews", tutorial.reviews, name="lesson-reviews"),
    path("lessons/<int:lesson>/picture", tutorial.picture, name="lesson-picture"),
    path("lakes/<slug:lake>/checking/", desk.desk, name="desk"),
    path("lakes/<slug:lake>/checking/rule/", desk.rule, name="rule"),
    path("deployments/<slug:deployment>/candidate", candidate_views.start, name="candidate-start"),
    path("candidates/<int:candidate>/", candidate_views.candidate, name="candidate"),
    path("candidates/<int:candidate>/state", candidate_views.state, name="candidate-state"),
    path("candidates/<int:candidate>/decide", candidate_views.decide, name="candidate-decide"),
    path("runs/<int:run>/aside", setting_aside.aside, name="run-aside"),
    path("frames/<int:frame>/thread", desk.thread, name="thread"),
    path("frames/<int:frame>/agree", desk.agree, name="agree"),
    path("frames/<int:frame>", api.frame, name="frame"),
    path("frames/<int:frame>/draft", api.draft, name="draft"),
    path("frames/<int:frame>/reviews", api.reviews, name="reviews"),
    path("frames/<int:frame>/unmask", api.unmask, name="unmask"),
]
