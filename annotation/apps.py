"""The app; on its start it tells the door for pictures which persons people have drawn."""

from __future__ import annotations

from django.apps import AppConfig


class AnnotationConfig(AppConfig):
    name = "annotation"

    def ready(self) -> None:
        from annotation.masking import people
        from detection.renditions import also_mask

        also_mask(people)
