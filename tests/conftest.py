"""What every test stands on: a data folder of its own, and the pictures lent for development."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.conf import settings as site
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.utils import translation
from xdist.scheduler import LoadScopeScheduling

from annotation import checks
from lacs_web import env
from lacs_web.embedded import private, service
from lacs_web.embedded.service import Service

# A slow machine is no counterexample.
hypothesis.settings.register_profile("lacs", hypothesis.settings.default, deadline=None)
hypothesis.settings.load_profile("lacs")

LENT = Path(__file__).resolve().parents[2] / "shared"
# Begun first, in this order, when two processes share the tests: docs/decisions/0012.
LONGEST = (
    "tests/e2e/",
    "tests/detection/test_runs.py",
    "tests/test_crawl.py",
    "tests/detection/test_backups.py",
    "tests/test_addresses.py",
    "tests/test_mutated.py",
    "tests/annotation/test_reliability.py",
    "tests/lacs_web/embedded/",
)


class ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """A process takes a file at a time, and one of them all that drives the browser."""

    def _split_scope(self, nodeid: str) -> str:
        return "tests/e2e/" if nodeid.startswith("tests/e2e/") else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    config.option.loadscopereorder = False  # what has most tests does not take longest
    return ByFile(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: [not item.nodeid.startswith(one) for one in LONGEST])


def pytest_configure(config: pytest.Config) -> None:
    """Of two processes each has a Redis of its own, as pytest-django gives each a database."""
    if not hasattr(config, "workerinput"):
        return
    folder = tempfile.TemporaryDirectory(prefix="lacs-", ignore_cleanup_errors=True)
    config.add_cleanup(folder.cleanup)

    def begin(what: Service) -> subprocess.Popen[bytes]:
        process = service.spawn(what)
        config.add_cleanup(lambda: service.stop([service.group(what, process.pid)], process.poll))
        return process

    named = {**os.environ, "REDIS_URL": ""}
    site.REDIS_URL = private.start(Path(folder.name), named, begin)["REDIS_URL"]
    site.CELERY_BROKER_URL = env.celery_broker(site.REDIS_URL)
    os.environ["REDIS_URL"] = site.REDIS_URL  # for what tests start


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.DEMO_CARD = tmp_path / "demo-card"
    # Hashed names need a collectstatic first; tests/lacs_web/embedded/test_up.py runs the real one.
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    return tmp_path


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password is hashed as ever, only not a million times over."""
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 1000)


@pytest.fixture(autouse=True)
def nothing_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """No check frame and no hidden box unless a test asks for it."""
    for chance in ("RATE", "BARE", "REFILL"):
        monkeypatch.setattr(checks, chance, 0.0)


@pytest.fixture
def lent_cards() -> Path:
    if not (LENT / "data/cards").is_dir():
        pytest.skip("the genuine camera files of ../shared/data/cards are not on this machine")
    return LENT / "data/cards"


@pytest.fixture
def in_english() -> Iterator[None]:
    """Messages in English also where no request asks for a language."""
    with translation.override("en"):
        yield
