"""Start all of LACS on this machine and keep it running: what `make up` does.

    python -m lacs_web.embedded.up

For one machine and for trying out; a server runs docker-compose.yml. Every setting is explained
in .env.example.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

from lacs_web.embedded import checks, manage, private
from lacs_web.embedded.instance import only_one, secret_key
from lacs_web.embedded.problem import Problem
from lacs_web.embedded.service import Service
from lacs_web.embedded.supervisor import Stopped, Supervisor

ROOT = Path(__file__).resolve().parents[2]
# Lent for development beside the checkout; nothing depends on its being there.
LENT_DETECTOR = ROOT.parent / "shared/models/yolox_nano_dynamic_hw.onnx"
BEAT, WORKERS, WEB = 2, 3, 4  # stages of the stop, after Redis (1) and PostgreSQL (0)


@dataclass(frozen=True)
class Settings:
    host: str
    port: int
    data: Path
    minimum_free: int  # MB
    public_url: str

    @classmethod
    def read(cls) -> Settings:
        host = os.environ.get("HOST") or "127.0.0.1"
        port = _whole("PORT", 8000)
        if not 0 < port < 65536:
            raise Problem(f"PORT must lie between 1 and 65535, not {port}.")
        shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104
        shown = f"[{shown}]" if ":" in shown else shown
        return cls(
            host=host,
            port=port,
            data=Path(os.environ.get("LACS_DATA") or ROOT / "var").expanduser().resolve(),
            minimum_free=_whole("LACS_MIN_FREE_MB", 1000),
            public_url=os.environ.get("PUBLIC_URL") or f"http://{shown}:{port}",
        )


def main() -> None:
    settings = Settings.read()
    checks.public_url(settings.public_url)
    checks.data_folder(settings.data)
    with only_one(settings.data) as lock:
        checks.disk(settings.data, settings.minimum_free)
        checks.port(settings.host, settings.port)
        _set_environment(settings)
        with Supervisor(lock=lock) as supervisor, contextlib.suppress(Stopped):
            try:
                _start(supervisor, settings)
                supervisor.wait()
            finally:
                supervisor.say("stopping")
    sys.stdout.write("lacs: stopped; all data are kept\n")


def _set_environment(settings: Settings) -> None:
    """Settle what the processes that we start will read."""
    os.environ.setdefault("SECRET_KEY", secret_key(settings.data))
    os.environ |= {"LACS_DATA": str(settings.data), "PUBLIC_URL": settings.public_url}
    if not os.environ.get("LACS_DETECTOR") and LENT_DETECTOR.exists():
        os.environ["LACS_DETECTOR"] = str(LENT_DETECTOR)
    for name, check in (
        ("DATABASE_URL", checks.named_postgres),
        ("REDIS_URL", checks.named_redis),
    ):
        if url := os.environ.get(name):
            check(url)
    os.environ["PYTHONUNBUFFERED"] = "1"
    # Celery warns against root; whoever runs `make up` as root has chosen so.
    os.environ.setdefault("PYTHONWARNINGS", "ignore:You're running the worker with superuser")
    os.chdir(ROOT)


def _start(supervisor: Supervisor, settings: Settings) -> None:
    supervisor.say(f"starting, with data in {settings.data}")
    os.environ |= private.start(settings.data, os.environ, supervisor.start)
    manage.note_environment(settings.data)
    supervisor.run("migrate", _manage("migrate", "--verbosity", "1"))
    _collect_static(supervisor, settings)
    for one in services(settings):
        supervisor.start(one)
    if not supervisor.wait(lambda: healthy(settings), seconds=90):
        raise Problem("the web server does not answer; its last lines are above.")
    first = json.loads(
        supervisor.run("first start", _manage("first_start", "--json"), capture=True)
    )
    _greet(supervisor, settings, first)
    if first["demo_wanted"]:
        try:
            supervisor.run("demo", _manage("load_demo"))
        except Problem as problem:
            supervisor.say(f"{problem} Everything else works.")


def services(settings: Settings) -> list[Service]:
    """What runs beside the servers: web, two kinds of workers, beat."""
    python = [sys.executable, "-m"]
    processes = max(1, (os.cpu_count() or 1) // 2)
    celery = [*python, "celery", "--quiet", "--app", "lacs_web"]
    quiet = ["--loglevel", "WARNING"]
    worker = ["--without-gossip", "--without-mingle", "--pool", "prefork", *quiet]
    schedule = settings.data / "run/beat-schedule"
    address = f"[{settings.host}]" if ":" in settings.host else settings.host
    return [
        Service(
            "web",
            [
                *(*python, "gunicorn", "lacs_web.wsgi:application"),
                *("--bind", f"{address}:{settings.port}", "--log-level", "warning"),
                *("--worker-class", "gthread", "--threads", "8", "--timeout", "120"),
                *("--graceful-timeout", "2", "--no-control-socket"),
            ],
            stage=WEB,
            grace=2.5,
            environment={"WEB_CONCURRENCY": os.environ.get("WEB_CONCURRENCY", "2")},
        ),
        Service(
            "worker-ingest",
            [
                *(*celery, "worker", "--queues", "ingest", "--hostname", "ingest@%h"),
                *("--concurrency", str(processes), *worker),
            ],
            stage=WORKERS,
            grace=8.0,  # what is in hand is finished, the rest handed back (lacs_web/stopping.py)
            ends_its_own=True,
        ),
        # One process with a thread for each core inside it (detection/inference.py).
        Service(
            "worker-inference",
            [
                *(*celery, "worker", "--queues", "inference", "--hostname", "inference@%h"),
                *("--concurrency", "1", *worker),
            ],
            stage=WORKERS,
            grace=8.0,  # what is in hand is finished, the rest handed back (lacs_web/stopping.py)
            ends_its_own=True,
        ),
        Service(
            "beat",
            [*celery, "beat", "--schedule", str(schedule), "--pidfile", "", *quiet],
            stage=BEAT,
            grace=1.0,
        ),
    ]


def _manage(*arguments: str) -> list[str]:
    return [sys.executable, "manage.py", *arguments]


def _collect_static(supervisor: Supervisor, settings: Settings) -> None:
    """Collect the static files unless nothing that they are made from has changed."""
    stamp, now = settings.data / "static.stamp", _static_fingerprint()
    if not (stamp.exists() and stamp.read_text() == now):
        supervisor.run(
            "static files", _manage("collectstatic", "--noinput", "--clear", "--verbosity", "0")
        )
        stamp.write_text(now)


def _static_fingerprint() -> str:
    """Changes with our static files and with the versions of everybody else's."""
    digest = hashlib.sha256()
    apps = [marker.parent for marker in ROOT.glob("*/__init__.py")]
    for path in sorted(path for app in apps for path in app.glob("static/**/*")):
        if path.is_file():
            status = path.stat()
            digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    others = ("package-lock.json", "requirements/run.txt")
    for name in (*others, "lacs_web/settings.py", "lacs_web/static.py"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def healthy(settings: Settings) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    connection = http.client.HTTPConnection(host, settings.port, timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _greet(supervisor: Supervisor, settings: Settings, first: dict[str, object]) -> None:
    address = urljoin(settings.public_url + "/", str(first.get("signin_url") or ""))
    messages = first.get("messages") or []
    assert isinstance(messages, list)  # noqa: S101
    lines = ["", "LACS is running. Open", "", f"    {address}", "", *map(str, messages)]
    supervisor.say("\n".join([*lines, "Ctrl-C stops it and keeps all data.", ""]))


def _whole(name: str, default: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isdecimal():
        raise Problem(f"{name} must be a whole number, not “{text}”.")
    return int(text)


if __name__ == "__main__":
    try:
        main()
    except Problem as problem:
        sys.exit(f"lacs: {problem}")
