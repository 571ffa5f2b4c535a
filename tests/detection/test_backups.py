"""Backup and restore: another database and another folder, the same figures and bytes."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from moto.server import ThreadedMotoServer

from dashboards.attendance import attendance
from detection import health
from detection.backups import restoring, saving
from detection.cards import purging, vault
from detection.models import Batch, CardFile, Detector, Frame, Run, RunFrame
from lacs_web import env
from lacs_web.models import Lake
from tests.dashboards.survey import FIRST, LAST, make_survey

pytestmark = pytest.mark.django_db(transaction=True)


def detector_file() -> str:
    """The storage name of the survey's detector, once that is known by true bytes."""
    Detector.objects.update(sha256=hashlib.sha256(b"network").hexdigest())
    return Detector.objects.get().storage_name


@pytest.fixture
def survey() -> Lake:
    """A small survey, with the original of one frame and a file that is no picture."""
    deployment = make_survey()
    batch = Batch.objects.get()
    vault.put([b"network"], name=detector_file())
    for path, data in (("1.jpg", b"first"), ("2.jpg", b"second")):
        sha256, size = vault.put([data])
        CardFile.objects.create(
            batch=batch, path=path, size=size, sha256=sha256, state=CardFile.State.UNREADABLE
        )
    run = Run.objects.get()
    for frame in Frame.objects.exclude(run_frames__run=run):
        RunFrame.objects.create(run=run, frame=frame, state=RunFrame.State.FAILED)
    return deployment.lake


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of an installation with an empty database and folder of its own."""
    asked = connection.get_connection_params()
    where = {key: asked[key] for key in ("host", "port", "user", "password") if key in asked}
    with psycopg.connect(dbname="postgres", autocommit=True, **where) as server:
        name = f"{asked['dbname']}_elsewhere"  # each process of tests has its own
        server.execute(f"DROP DATABASE IF EXISTS {name}")
        server.execute(f"CREATE DATABASE {name}")
        user, host = where.get("user", ""), where.get("host", "")
        url = f"postgresql://{user}@/{name}?host={host}"
        if where.get("password") or where.get("port"):
            pytest.skip("written for the private PostgreSQL, which has neither password nor port")
        yield {**os.environ, "DATABASE_URL": url, "LACS_DATA": str(tmp_path / "elsewhere")}
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def bucket(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The storage is a bucket of an S3 server on this machine; its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("here", "elsewhere"):
        client = boto3.client("s3", endpoint_url=address, region_name="us-east-1")
        client.create_bucket(Bucket=name)
    kept = env.storage(bucket="here", endpoint=address, region="us-east-1", folder="lacs")
    settings.STORAGES = settings.STORAGES | {"default": kept}
    yield address
    server.stop()


def manage(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env=environment,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,  # six commands, each with an interpreter of its own, on a busy machine
    )


def files(folder: Path) -> dict[Path, bytes]:
    found = (place for place in folder.rglob("*") if place.is_file())
    return {place.relative_to(folder): place.read_bytes() for place in found}


def figures(lake: Lake) -> Any:
    return json.loads(json.dumps(attendance(lake, FIRST, LAST), default=str))


# Slow: three processes and every migration, for another installation is another process.
def test_what_was_saved_stands_elsewhere(
    survey: Lake, elsewhere: dict[str, str], tmp_path: Path
) -> None:
    call_command("backup", str(tmp_path / "backup"))
    done = manage(elsewhere, "restore", str(tmp_path / "backup"))
    assert done.returncode == 0, done.stderr

    asked = ["attendance", survey.slug, "--from", str(FIRST), "--to", str(LAST), "--json"]
    there = json.loads(manage(elsewhere, *asked).stdout)
    assert there == figures(survey)
    media = Path(elsewhere["LACS_DATA"]) / "media"
    here = Path(settings.MEDIA_ROOT)
    assert len(files(here)) == Frame.objects.count() + 3
    assert files(here) == files(media)
    doctor = manage(elsewhere, "doctor")
    assert doctor.stdout == "Everything fits together.\n", doctor.stderr
    with psycopg.connect(elsewhere["DATABASE_URL"]) as server:
        fresh = server.execute(
            "INSERT INTO lacs_web_park (name, slug) VALUES ('p', 'p') RETURNING id"
        )
        assert fresh.fetchone()[0] > survey.park_id  # type: ignore[index]
        assert server.execute("SELECT count(*) FROM lacs_web_session").fetchone() == (0,)

    again = manage(elsewhere, "restore", str(tmp_path / "backup"))
    assert again.returncode == 1
    assert "not empty" in again.stderr
    (media / vault.preview_name(Frame.objects.first().sha256)).write_bytes(b"broken")  # type: ignore[union-attr]
    again = manage(elsewhere, "restore", str(tmp_path / "backup"), "--replace")
    assert again.returncode == 0, again.stderr
    assert json.loads(manage(elsewhere, *asked).stdout) == figures(survey)


# Slow for the same reason.
def test_a_bucket_is_saved_and_a_backup_is_restored_into_a_bucket(
    bucket: str, survey: Lake, elsewhere: dict[str, str], tmp_path: Path
) -> None:
    assert not Path(settings.MEDIA_ROOT, "originals").exists()
    assert health._storage().state == health._detector().state == "good"
    assert vault.at_hand(detector_file()).read_bytes() == b"network"
    (sha256,) = CardFile.objects.filter(path="1.jpg").values_list("sha256", flat=True)
    assert (vault.holds(sha256), vault.original(sha256)) == (True, b"first")
    vault.discard(sha256)
    with pytest.raises(FileNotFoundError):
        vault.original(sha256)
    assert vault.put([b"first"]) == (sha256, 5)
    call_command("doctor", stdout=io.StringIO())
    call_command("backup", str(tmp_path / "backup"))
    there = elsewhere | {
        "LACS_S3_BUCKET": "elsewhere",
        "LACS_S3_ENDPOINT": bucket,
        "LACS_S3_REGION": "us-east-1",
    }
    done = manage(there, "restore", str(tmp_path / "backup"))
    assert done.returncode == 0, done.stderr
    doctor = manage(there, "doctor")
    assert doctor.stdout == "Everything fits together.\n", doctor.stderr
    client = boto3.client("s3", endpoint_url=bucket, region_name="us-east-1")
    names = {each["Key"] for each in client.list_objects_v2(Bucket="elsewhere")["Contents"]}
    assert {vault.original_name(sha256), detector_file()} < names
    assert len(names) == Frame.objects.count() + 3
    client.delete_object(Bucket="elsewhere", Key=vault.original_name(sha256))
    assert "files whose bytes are gone" in manage(there, "doctor").stdout


def test_a_bucket_that_is_away_is_what_a_broken_disk_is(
    bucket: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256, _ = vault.put([b"first"])
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    away = env.storage(
        bucket="here", endpoint="http://127.0.0.1:9", region="us-east-1", folder="lacs"
    )
    settings.STORAGES = settings.STORAGES | {"default": away}
    for ask in (vault.original, vault.preview, vault.holds, vault.discard):
        with pytest.raises(OSError, match="Could not connect"):
            ask(sha256)
    with pytest.raises(OSError, match="Could not connect"):
        vault.put([b"second"])
    assert health._storage().state == "bad"


def test_a_second_backup_copies_only_what_is_new(survey: Lake, tmp_path: Path) -> None:
    first = saving.save(tmp_path)
    assert (first.copied, first.lost) == (first.files, [])
    sha256, size = vault.put([b"third"])
    CardFile.objects.create(
        batch=Batch.objects.get(), path="3.jpg", size=size, sha256=sha256, state="unreadable"
    )
    second = saving.save(tmp_path)
    assert (second.files, second.copied) == (first.files + 1, 1)
    before = {name: sha256 for sha256, _, name in saving.listed(first.folder)}
    after = {name: sha256 for sha256, _, name in saving.listed(second.folder)}
    assert before.items() < after.items()


def test_a_backup_that_was_cut_off_is_taken_up(
    survey: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies, real = [], saving._copy

    def fails(*args: Any) -> Any:
        copies.append(args)
        if len(copies) == 4:
            raise OSError(28, "No space left on device")
        return real(*args)

    monkeypatch.setattr(saving, "_copy", fails)
    with pytest.raises(CommandError, match="start the same command again"):
        call_command("backup", str(tmp_path))
    monkeypatch.setattr(saving, "_copy", real)
    with pytest.raises(CommandError, match="no finished backup"):
        call_command("restore", str(tmp_path))
    saved = saving.save(tmp_path)
    assert saved.copied == saved.files - 3
    assert not list(tmp_path.rglob("*.part"))


def test_bytes_that_are_damaged_here_are_named_and_not_saved(survey: Lake, tmp_path: Path) -> None:
    sha256, _ = vault.put([b"first"])
    Path(default_storage.path(vault.original_name(sha256))).write_bytes(b"other")
    with pytest.raises(CommandError, match="1 files that rows speak of"):
        call_command("backup", str(tmp_path))
    assert not (tmp_path / saving.FILES / vault.original_name(sha256)).exists()


def test_a_restore_that_is_cut_leaves_no_less_than_there_was(
    survey: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saving.save(tmp_path)
    name = vault.preview_name(Frame.objects.all()[0].sha256)
    place, kept = Path(default_storage.path(name)), tmp_path / saving.FILES / name
    place.write_bytes(b"made since")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        with pytest.raises(CommandError, match="No space left on device"):
            call_command("restore", str(tmp_path), "--replace")
    assert place.read_bytes() == b"made since"
    assert restoring._fetch(kept, name, vault.digest_of(kept))
    assert place.read_bytes() == kept.read_bytes()


def test_what_is_purged_while_it_is_saved_is_not_lost(
    survey: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows were read before: they speak of bytes that go before they are copied."""
    purged, gone = CardFile.objects.filter(path__in=["1.jpg", "2.jpg"]).order_by("path")
    real = saving._copy

    def meanwhile(*args: Any) -> Any:
        purging.finish(purging.begin(of=purged, rule={"days": 1}, by=None))
        vault.discard(gone.sha256)
        return real(*args)

    monkeypatch.setattr(saving, "_copy", meanwhile)
    saved = saving.save(tmp_path)
    assert saved.lost == [vault.original_name(gone.sha256)]


def test_a_damaged_backup_is_refused_before_anything_is_lost(survey: Lake, tmp_path: Path) -> None:
    folder = saving.save(tmp_path).folder
    table = folder / saving.TABLES / "lacs_web_lake.gz"
    table.write_bytes(table.read_bytes()[:-9])
    with pytest.raises(CommandError, match="lacs_web_lake"):
        call_command("restore", str(tmp_path), "--replace")
    said = json.loads((folder / saving.MANIFEST).read_text())
    said["migrations"].append(["detection", "9999_from_tomorrow"])
    (folder / saving.MANIFEST).write_text(json.dumps(said))
    with pytest.raises(CommandError, match="another version of LACS"):
        call_command("restore", str(tmp_path), "--replace")
    assert Lake.objects.count() == 1
