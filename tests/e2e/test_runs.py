"""Detection of a deployment in a real browser: started, seen through, tried, looked at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import reverse
from playwright.sync_api import Page, expect

from detection import tasks
from detection.models import (
    Batch,
    Candidate,
    Detection,
    Frame,
    Run,
    RunFrame,
    Suppression,
    Trial,
)
from detection.registering import register
from lacs_web.models import Role
from tests.annotation.test_checks import STATED, say
from tests.cast import person
from tests.detection.test_runs import red_card
from tests.factories import make_deployment
from tests.onnx_models import tiny_yolox

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
SIZES = [(1280, 900), (820, 1180)]


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    make_deployment()
    red_card(tmp_path / "card", 12, seconds=1800)
    call_command("import_batch", str(tmp_path / "card"), deployment="shore", verbosity=0)
    register(path=tiny_yolox(tmp_path / "tiny.onnx"), name="Red")
    return Batch.objects.get()


def test_a_run_from_start_to_its_page(
    sign_in: Any, live_server: Any, batch: Batch, assert_accessible: Any
) -> None:
    page: Page = sign_in(person(Role.OFFICER, batch.deployment.lake))
    page.context.add_cookies([{"name": "django_language", "value": "en", "url": live_server.url}])
    page.goto(live_server.url + reverse("detection:deployment", args=["shore"]))
    page.get_by_label("Look at").select_option("gated")
    page.get_by_role("button", name="Try on ten frames").click()
    expect(page.get_by_text("being looked at")).to_be_visible()
    tasks.try_out(Trial.objects.get().pk)  # what a worker does; the page asks again by itself
    expect(page.locator(".trial-pictures li")).to_have_count(10)
    expect(page.locator("rect.box")).to_have_count(10)
    assert_accessible(page)
    page.get_by_role("link", name="North shore").click()
    page.get_by_role("button", name="Start").click()
    run = Run.objects.get()
    expect(page.get_by_text("0 of 12 frames examined")).to_be_visible()
    expect(page.get_by_text("waits for a worker")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    tasks.detect(run.pk)
    expect(page.get_by_text("12 of 12 frames examined")).to_be_visible(timeout=10_000)
    expect(page.get_by_role("button", name="Repeat on all frames")).to_be_visible()
    for frame in Frame.objects.all():
        say(frame, person(Role.RANGER, batch.deployment.lake), STATED)
    page.get_by_role("button", name="Put in the shadow").click()
    expect(page.get_by_text("0 of 12 settled frames looked at")).to_be_visible()
    assert_accessible(page)
    candidate = Candidate.objects.get()
    tasks.shadow(candidate.pk)  # the page asks again by itself
    expect(page.get_by_role("button", name="Promote")).to_be_visible(timeout=10_000)
    RunFrame.objects.filter(pk__in=RunFrame.objects.values("pk")[:1]).update(
        state="failed", reason="the picture data are damaged"
    )
    Suppression.objects.get_or_create(
        detection=Detection.objects.sure()[0], defaults={"reason": "recurs"}
    )
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.goto(live_server.url + reverse("detection:deployment", args=["shore"]))
        expect(page.get_by_role("button", name="Repeat on what failed")).to_be_visible()
        assert_accessible(page)
        page.get_by_role("link", name="Red", exact=True).first.click()
        page.get_by_role("link", name="Show some of them").click()
        expect(page.locator("rect.box").first).to_be_attached()
        assert_accessible(page)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width
        page.goto(live_server.url + reverse("annotation:candidate", args=[candidate.pk]))
        expect(page.get_by_role("button", name="Promote")).to_be_visible()
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto(live_server.url + reverse("detection:deployment", args=["shore"]))
    page.get_by_role("link", name="Bring in detections made elsewhere").click()
    box = {"category": "2", "conf": 0.9, "bbox": [0.1, 0.1, 0.1, 0.1]}
    content = {
        "info": {"format_version": "1.4", "detector": "md_v5a.0.1.pt"},
        "detection_categories": {"1": "animal", "2": "person"},
        "images": [{"file": frame.path, "detections": [box]} for frame in batch.frames.all()],
    }
    sent = json.dumps(content).encode()
    page.get_by_label("MegaDetector JSON").set_input_files(
        {"name": "md.json", "mimeType": "application/json", "buffer": sent}
    )
    page.get_by_role("button", name="See what it would bring in").click()
    expect(page.get_by_text("12 of 12 named")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Bring it in").click()
    expect(page.get_by_text("12 frames were brought in.")).to_be_visible()
    expect(page.get_by_role("link", name="md_v5a.0.1.pt (made elsewhere)")).to_be_visible()
