"""Addresses of cards, deployments and pictures."""

from __future__ import annotations

from django.urls import path

from detection.api import cards as api
from detection.api import deployments as api_deployments
from detection.views import (
    batches,
    cards,
    clocks,
    deployments,
    health,
    importing,
    moving,
    pictures,
    quarantine,
    runs,
)

app_name = "detection"
urlpatterns = [
    path("health/", health.health, name="health"),
    path("metrics", health.metrics, name="metrics"),
    path("lakes/<slug:lake>/cards/", cards.cards, name="cards"),
    path("lakes/<slug:lake>/cards/new/", cards.hand_over, name="hand-over"),
    path("cards/<int:batch>/", batches.batch, name="batch"),
    path("cards/<int:batch>/state", batches.state, name="batch-state"),
    path("cards/<int:batch>/clock/", clocks.clock, name="clock"),
    path("cards/<int:batch>/clock/right", clocks.right, name="clock-right"),
    path("corrections/<int:correction>/undo", clocks.undo, name="correction-undo"),
    path("cards/<int:batch>/quarantine/", quarantine.of_card, name="quarantine-card"),
    path("cards/<int:batch>/move/", moving.move, name="card-move"),
    path("lakes/<slug:lake>/quarantine/", quarantine.of_lake, name="quarantine"),
    path("cards/<int:batch>/schedule", clocks.schedule, name="schedule"),
    path("cards/<int:batch>/split", clocks.split, name="split"),
    path("frames/<int:frame>/stamp", clocks.stamp, name="stamp"),
    path("api/v1/lakes/<slug:lake>/propose", api.propose, name="api-propose"),
    path("api/v1/lakes/<slug:lake>/cards", api.cards, name="api-cards"),
    path(
        "api/v1/lakes/<slug:lake>/deployments", api_deployments.deployments, name="api-deployments"
    ),
    path("api/v1/cards/<int:batch>", api.show, name="api-receipt"),
    path("api/v1/cards/<int:batch>/manifest", api.announce, name="api-manifest"),
    path("api/v1/cards/<int:batch>/recognise", api.recognise, name="api-recognise"),
    path("api/v1/cards/<int:batch>/files/<int:file>/<str:sha256>", api.put_file, name="api-file"),
    path("api/v1/cards/<int:batch>/close", api.close, name="api-close"),
    path("lakes/<slug:lake>/deployments/", deployments.deployments, name="deployments"),
    path("lakes/<slug:lake>/deployments/new/", deployments.new, name="deployment-new"),
    path("deployments/<slug:deployment>/", deployments.deployment, name="deployment"),
    path("deployments/<slug:deployment>/edit/", deployments.edit, name="deployment-edit"),
    path("deployments/<slug:deployment>/zones", deployments.zones, name="zones"),
    path("deployments/<slug:deployment>/runs", runs.of_deployment, name="runs"),
    path("deployments/<slug:deployment>/runs/start", runs.start, name="run-start"),
    path("deployments/<slug:deployment>/kept/end", runs.end_kept, name="kept-end"),
    path("deployments/<slug:deployment>/import/", importing.bring_in, name="import"),
    path("deployments/<slug:deployment>/try", runs.try_out, name="try"),
    path("runs/<int:run>/", runs.one, name="run"),
    path("runs/<int:run>/pause", runs.pause, name="run-pause"),
    path("runs/<int:run>/repeat", runs.repeat, name="run-repeat"),
    path("runs/<int:run>/beside/<int:other>/", runs.beside, name="runs-beside"),
    path("trials/<int:trial>/", runs.trial, name="trial"),
    path("trials/<int:trial>/state", runs.trial_state, name="trial-state"),
    path("frames/<int:frame>/background", pictures.behind, name="background"),
    path("frames/<int:frame>/picture", pictures.picture, name="picture"),
]
