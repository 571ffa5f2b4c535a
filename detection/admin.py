"""The administration: cameras and detectors; deployments, batches and runs to look at.

Deployments are changed in their room, where times are the lake's and frames are dated anew.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, ClassVar, cast

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from detection import registering, wording
from detection.models import Batch, Camera, Deployment, Detector, Run, Zone
from detection.onnx.runtime import ModelRefused
from lacs_web.admin import Audited, ReadOnly
from lacs_web.models import AuditEvent, User


@admin.register(Camera)
class CameraAdmin(Audited):
    list_display = ["serial", "make", "model", "park"]
    list_filter = ["park", "make"]
    list_select_related = ["park"]
    search_fields = ["serial", "make", "model"]


class ZoneInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Zone
    fields = ["kind", "polygon"]
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Deployment)
class DeploymentAdmin(ReadOnly):
    list_display = ["slug", "viewpoint", "lake", "camera", "starts_at", "ends_at"]
    list_filter = ["lake"]
    list_select_related = ["lake", "camera"]
    search_fields = ["slug", "viewpoint", "camera__serial"]
    inlines: ClassVar = [ZoneInline]

    def view_on_site(self, obj: Deployment) -> str:
        return reverse("detection:deployment", args=[obj.slug])


@admin.register(Zone)
class ZoneAdmin(ReadOnly):
    list_display = ["deployment", "kind", "polygon"]
    list_filter = ["kind", "deployment__lake"]
    list_select_related = ["deployment"]


@admin.register(Batch)
class BatchAdmin(ReadOnly):
    list_display = ["opened_at", "source", "deployment", "uploaded_by", "closed_at"]
    list_filter = ["deployment__lake"]
    list_select_related = ["deployment", "uploaded_by"]
    date_hierarchy = "opened_at"


@admin.register(Run)
class RunAdmin(ReadOnly):
    list_display = ["started_at", "batch", "detector", "software", "paused", "finished_at"]
    list_filter = ["detector", "paused", "batch__deployment__lake"]
    list_select_related = ["batch__deployment", "detector"]
    date_hierarchy = "started_at"


class UploadForm(forms.Form):
    file = forms.FileField(label=gettext_lazy("ONNX file"))
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("That of the file where left empty."),
    )
    licence = forms.CharField(label=gettext_lazy("Licence"), max_length=200, required=False)
    default = forms.BooleanField(label=gettext_lazy("Use it for new batches"), required=False)


class DetectorForm(forms.ModelForm):  # type: ignore[type-arg]
    def _get_validation_exclusions(self) -> set[str]:
        """The one default gives way to the new one when it is saved; it is no conflict."""
        left_out: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return left_out | {"is_default"}


@admin.register(Detector)
class DetectorAdmin(Audited):
    """Detectors are added as files; what a file is cannot be changed, only which one is used."""

    form = DetectorForm
    list_display = ["name", "layout", "licence", "is_default", "registered_at"]
    fields = [
        "name",
        "layout",
        "licence",
        "sha256",
        "class_map",
        "probed",
        "registered_at",
        "is_default",
    ]
    readonly_fields = [
        "name", "layout", "licence", "sha256", "class_map", "probed", "registered_at",
    ]  # fmt: skip

    @admin.display(description=gettext_lazy("On real pictures"))
    def probed(self, obj: Detector) -> str:
        return wording.probed(obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        away = obj is not None and obj.layout == Detector.ELSEWHERE  # there is no file to run
        return [*self.readonly_fields, "is_default"] if away else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # runs stand on it

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        registering.set_default(obj, obj.is_default)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None, label_suffix="")
        if getattr(request, "left_out", False):
            form.errors["file"] = form.error_class(
                [
                    _("The file is larger than %(most)s, the most that is taken.")
                    % {"most": filesizeformat(settings.DETECTOR_MAX_BYTES)}
                ]
            )
        elif request.method == "POST" and form.is_valid():
            try:
                detector = _register(form.cleaned_data)
            except ModelRefused as refusal:
                form.add_error("file", str(refusal))
            else:
                AuditEvent.objects.create(
                    user=cast("User", request.user),
                    action="detector registered",
                    detail={"detector": detector.sha256, "name": detector.name},
                )
                messages.success(
                    request,
                    _("%(name)s is registered. Its layout: %(layout)s.")
                    % {"name": detector.name, "layout": detector.layout},
                )
                return redirect("admin:detection_detector_change", detector.pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Register a detector"),
            "form": form,
            "most": settings.DETECTOR_MAX_BYTES,
        }
        return render(request, "admin/detection/detector/upload.html", context)


def _register(data: dict[str, Any]) -> Detector:
    """The upload lies in a temporary file already; it is given its own name back for messages."""
    upload = data["file"]
    with tempfile.TemporaryDirectory(prefix="lacs-detector-") as folder:
        path = Path(folder) / upload.name
        path.symlink_to(upload.temporary_file_path())
        return registering.register(
            path=path, name=data["name"], licence=data["licence"], default=data["default"]
        )
