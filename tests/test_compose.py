"""The files of a server hold together, read without a container engine.

Not shown here: that the images build and start; the shell steps are the Makefile's own.
"""

from __future__ import annotations

import ast
import importlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parents[1]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, one in SERVICES.items() if "build" in one)
DOCKERFILE = (ROOT / "Dockerfile").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()
DOCUMENTED = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", EXAMPLE, re.MULTILINE))
SECRETS = {"SECRET_KEY", "POSTGRES_PASSWORD"}
NOT_FOR_COMPOSE = {
    "DATABASE_URL", "REDIS_URL", "LACS_DATA", "LACS_DEMO",  # it says these itself
    "LACS_DETECTOR", "LACS_MIN_FREE_MB", "LACS_CHROMIUM", "NO_COLOR",  # of `make` alone
    "DEBUG",  # never on a server
}  # fmt: skip


def test_every_part_of_lacs_is_a_service() -> None:
    assert set(SERVICES) == {
        "web",
        "worker-ingest",
        "worker-inference",
        "beat",
        "migrate",
        "postgres",
        "redis",
    }


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_tells_its_health_and_comes_back(name: str) -> None:
    service = SERVICES[name]
    if name == "migrate":  # runs to its end
        assert service["restart"] == "no"
        assert service["healthcheck"] == {"disable": True}
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
        assert {"interval", "timeout", "retries"} <= set(service["healthcheck"])


@pytest.mark.parametrize("name", OURS)
def test_our_services_have_no_rights_to_lose(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True
    assert "no-new-privileges:true" in service["security_opt"]
    assert not {"user", "privileged", "cap_add"} & set(service)


def test_the_image_runs_as_an_account_that_is_not_root() -> None:
    last = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
    (user,) = re.findall(r"^USER (\S+)$", last, re.MULTILINE)
    (uid,) = re.findall(rf"useradd .*--uid (\d+) .*\b{user}\b", last)
    assert int(uid) >= 1000
    assert last.index(f"USER {user}") < last.index("\nCMD"), "the command is run after the switch"
    assert f"--owner {user}" in last
    assert f"VOLUME {SERVICES['web']['volumes'][0].partition(':')[2]}" in last


def test_images_are_pinned_to_a_version() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    images = [service["image"] for service in SERVICES.values()]
    for image in [*bases, *images]:
        assert re.search(r":\d+(\.\d+)*(-\w+)*$", image), f"{image} names no version"
    assert len({SERVICES[name]["image"] for name in OURS}) == 1


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_waits_for_can_come_about(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        if how["condition"] == "service_healthy":
            assert "test" in SERVICES[other]["healthcheck"]
        else:
            assert how["condition"] == "service_completed_successfully"
            assert SERVICES[other]["restart"] == "no"
    if name in OURS and name != "migrate":
        assert set(SERVICES[name]["depends_on"]) == {"migrate", "postgres", "redis"}


def test_volumes_are_declared_and_used() -> None:
    used = {
        volume.partition(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
    }
    assert used == set(COMPOSE["volumes"])
    assert "data:/data" in SERVICES["web"]["volumes"]
    assert all(SERVICES[name]["volumes"] == SERVICES["web"]["volumes"] for name in OURS)


def variables() -> list[tuple[str, str]]:
    """(name, what follows it inside the braces) of each ${…}."""
    lines = [
        line
        for line in (ROOT / "docker-compose.yml").read_text().splitlines()
        if not line.lstrip().startswith("#")
    ]
    return re.findall(r"(?<!\$)\$\{(\w+)([^}]*)\}", "\n".join(lines))


def test_every_variable_is_explained() -> None:
    assert {name for name, _ in variables()} <= DOCUMENTED


def test_every_variable_reaches_the_server() -> None:
    assert {name for name, _ in variables()} == DOCUMENTED - NOT_FOR_COMPOSE
    for service in SERVICES.values():
        for name, said in service.get("environment", {}).items():
            if said.startswith("${"):
                assert said.startswith(f"${{{name}:"), f"{name} is given what another is set to"


def test_an_empty_variable_is_as_good_as_none() -> None:
    """So that compose may pass on what `.env` does not say, and the rule stands in one place."""
    asked = (
        "from django.conf import settings as s; print(s.REQUIRE_CODE, s.PROXIES, s.FILE_MAX_BYTES)"
    )
    for url, said in (("https://x.example", "True 1"), ("http://x.example", "False 0")):
        empty = dict.fromkeys(("LACS_REQUIRE_CODE", "LACS_PROXIES", "LACS_FILE_MAX_MB"), "")
        given = {**os.environ, **empty, "PUBLIC_URL": url}
        out = subprocess.run(
            [sys.executable, "-c", asked], cwd=ROOT, env=given, check=True, capture_output=True
        )
        assert out.stdout.decode().strip() == f"{said} {64 * 1024 * 1024}"


def test_no_secret_has_a_default() -> None:
    asked = dict(variables())
    for name in SECRETS | {"PUBLIC_URL"}:
        assert asked[name].startswith(":?"), f"compose must refuse to start without {name}"
        assert re.search(rf"^{name}=$", EXAMPLE, re.MULTILINE)
    assert "SECRET" not in DOCKERFILE
    assert "PASSWORD" not in DOCKERFILE


def test_every_setting_is_explained() -> None:
    source = (ROOT / "lacs_web/settings.py").read_text()
    read = set(re.findall(r"\bread\.\w+\(\s*\"(\w+)\"", source))
    assert read >= {"SECRET_KEY", "DATABASE_URL", "LACS_DATA"}
    assert read <= DOCUMENTED


def test_defaults_agree_with_the_settings() -> None:
    """A default written in three places says the same in each."""
    source = (ROOT / "lacs_web/settings.py").read_text()
    ours = dict(re.findall(r"read\.int\(\"(\w+)\", default=([\d_]+)\)", source))
    for name, default in ours.items():
        (shown,) = re.findall(rf"^# {name}=(.*)$", EXAMPLE, re.MULTILINE)
        assert int(shown) == int(default), name
    for name, rest in variables():
        if name in ours:
            assert rest == f":-{int(ours[name])}", name
    (masked,) = re.findall(r"from a low score on \((.+?)\)", (ROOT / "docs/privacy.md").read_text())
    (score,) = re.findall(r"^MASK_SCORE = (.+)$", source, re.MULTILINE)
    assert round(float(score), 2) == float(masked)


def words(command: list[str] | str | None) -> list[list[str]]:
    """The programs that a command runs, each as its words."""
    if not command:
        return []
    parts = command.split() if isinstance(command, str) else command
    if parts[:2] == ["sh", "-ec"]:
        return [line.split() for line in parts[2].split(";")]
    return [parts]


@pytest.mark.parametrize("name", OURS)
def test_commands_name_what_exists(name: str) -> None:
    (default,) = re.findall(r"^CMD \[(.*)\]$", DOCKERFILE, re.MULTILINE)
    command = SERVICES[name].get("command") or [part.strip('" ') for part in default.split(",")]
    for program in words(command):
        if program[0] == "python":
            assert (ROOT / program[1]).is_file()
            assert program[2] in get_commands(), f"there is no command {program[2]}"
        elif program[0] == "gunicorn":
            module, _, attribute = program[1].partition(":")
            assert callable(getattr(importlib.import_module(module), attribute))
        else:
            assert program[:3] == ["celery", "--app", "lacs_web"]
            assert program[3] in {"worker", "beat"}


def test_every_queue_has_one_worker(settings: Any) -> None:
    routed = {one["queue"] for one in settings.CELERY_TASK_ROUTES.values()}
    served = [
        service["command"][service["command"].index("--queues") + 1]
        for service in SERVICES.values()
        if "--queues" in service.get("command", [])
    ]
    assert sorted(served) == sorted(routed | {settings.CELERY_TASK_DEFAULT_QUEUE})


def test_what_the_image_takes_in_exists() -> None:
    allowed = [
        line.removeprefix("!").rstrip("/")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    names = [name for line in copied for name in line.split() if name != "."]
    assert names
    for name in names:
        assert (ROOT / name).exists(), name
        assert any(name == one or name.startswith(one + "/") for one in allowed), name
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert packages <= set(allowed)
    assert not {".env", "var", ".git", "tests"} & set(allowed)


def test_the_servers_lock_is_part_of_the_one_that_is_tested() -> None:
    def pins(name: str) -> set[str]:
        text = (ROOT / "requirements" / name).read_text()
        return set(re.findall(r"^([\w.-]+==[^ ;\\]+)", text, re.MULTILINE))

    assert pins("server.txt") | pins("run.txt") <= pins("dev.txt")
    assert all("--hash=sha256:" in (ROOT / "requirements" / f"{name}.txt").read_text()
               for name in ("server", "run", "dev"))  # fmt: skip


def test_what_make_installs_is_locked() -> None:
    """But for what only our own machines ask for."""
    targets = re.split(r"^(?=[\w./%]+:)", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    free = {
        target.partition(":")[0]
        for target in targets
        if re.search(r"\$\(PIP\)(?! --require-hashes)", target.partition(":")[2])
    }
    assert free == {"audit", "lock", "train"}


def test_what_is_imported_is_asked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = {
        re.split(r"[\[>=; ]", one)[0].lower()
        for one in [*project["dependencies"], *extras["s3"], *extras["dev"]]
    }
    # What comes with what we ask for, by design.
    asked |= {"redis", "kombu", "playwright", "boto3"}
    given = packages_distributions()
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for name in names:
                found = {each.lower() for each in given.get(name.split(".")[0], [])}
                assert not found or found & asked, f"{path} imports {name}"


def test_the_benchmarks_that_make_runs_are_the_ones_named() -> None:
    (ours,) = re.findall(r"^BENCHMARKS \?= (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    told = (ROOT / "docs/benchmarks.md").read_text()
    assert f"# each of {', '.join(ours.split())}\n" in told


@pytest.mark.skipif(not shutil.which("docker"), reason="docker is not on this machine")
def test_compose_reads_it() -> None:
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    if plugin.returncode != 0:
        pytest.skip("docker's compose plugin is not on this machine")
    given = {"PATH": "/usr/bin:/bin", "SECRET_KEY": "x", "POSTGRES_PASSWORD": "x"}
    subprocess.run(
        ["docker", "compose", "--file", str(ROOT / "docker-compose.yml"), "config", "--quiet"],
        env={**given, "PUBLIC_URL": "https://lacs.example.org"},
        check=True,
        capture_output=True,
        timeout=60,
    )
