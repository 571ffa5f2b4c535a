"""Filters that put deployments into words."""

from __future__ import annotations

from django import template

from detection import wording

register = template.Library()
register.filter("clock", wording.clock)
register.filter("interval", wording.interval)
register.filter("pair", wording.pair)
register.filter("label_words", wording.label)
