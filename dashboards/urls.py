"""Addresses of figures, and of the first page."""

from __future__ import annotations

from django.urls import include, path

from dashboards import (
    api,
    calendar_views,
    counting_views,
    export_views,
    kept_views,
    overview_views,
    shared_views,
    views,
)

figures = [
    path("api/v1/lakes", api.lakes, name="api-lakes"),
    path("api/v1/lakes/<slug:lake>/attendance", api.attendance, name="api-attendance"),
    path(
        "api/v1/lakes/<slug:lake>/exports/figures/<slug:kind>",
        api.export_figures,
        name="api-export-figures",
    ),
    path(
        "api/v1/lakes/<slug:lake>/exports/frames/<slug:kind>",
        api.export_frames,
        name="api-export-frames",
    ),
    path("api/v1/lakes/<slug:lake>/exports/kept", api.kept_exports, name="api-kept"),
    path("api/v1/exports/<int:kept_export>", api.kept_export, name="api-kept-export"),
    path("api/v1/exports/<int:kept_export>/file", api.kept_file, name="api-kept-file"),
    path("overview/", overview_views.overview, name="overview"),
    path("lakes/<slug:lake>/", views.lake, name="lake"),
    path("lakes/<slug:lake>/checking/minutes/", views.effort, name="effort"),
    path("lakes/<slug:lake>/attendance.csv", views.attendance_csv, name="attendance-csv"),
    path("lakes/<slug:lake>/calendar/", calendar_views.calendar, name="calendar"),
    path("lakes/<slug:lake>/calendar/days", calendar_views.days, name="days"),
    path("lakes/<slug:lake>/calendar/year", calendar_views.school_year, name="school-year"),
    path("lakes/<slug:lake>/calendar/<int:holiday>/", calendar_views.holiday, name="holiday"),
    path("lakes/<slug:lake>/counters/", counting_views.counters, name="counters"),
    path("lakes/<slug:lake>/exports/", export_views.exports, name="exports"),
    path(
        "lakes/<slug:lake>/exports/figures/<slug:kind>", export_views.figures, name="export-figures"
    ),
    path("lakes/<slug:lake>/exports/frames/<slug:kind>", export_views.frames, name="export-frames"),
    path("lakes/<slug:lake>/exports/kept/", kept_views.files, name="kept"),
    path("lakes/<slug:lake>/exports/kept/<slug:kind>", kept_views.make, name="kept-make"),
    path("exports/<int:kept_export>/file", kept_views.file, name="kept-file"),
    path("exports/<int:kept_export>/end", kept_views.end, name="kept-end"),
    path("lakes/<slug:lake>/links/", shared_views.links, name="links"),
    path("lakes/<slug:lake>/links/<int:link>/end", shared_views.link_end, name="link-end"),
    path("shared/<str:secret>/", shared_views.shared, name="shared"),
    path("shared/<str:secret>/<slug:lake>/", shared_views.shared, name="shared-lake"),
]
urlpatterns = [
    # The site's first page: its name stands in no app's space.
    path("", views.home, name="home"),
    path("", include((figures, "dashboards"))),
]
