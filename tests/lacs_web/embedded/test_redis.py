"""A private Redis, as Celery and redis-py reach it."""

from __future__ import annotations

from pathlib import Path

import pytest
from kombu import Connection
from redis import Redis

from lacs_web import env
from lacs_web.embedded import private, redis
from lacs_web.embedded.private import Start
from lacs_web.embedded.problem import Problem

OTHERS = {"DATABASE_URL": "postgresql:///elsewhere"}  # so that only Redis is started


@pytest.mark.parametrize("name", ["plain", "a folder, with spaces", "deep-" * 40])
def test_both_clients_reach_it_wherever_the_data_lie(folder: Path, begin: Start, name: str) -> None:
    (folder / name).mkdir()
    url = private.start(folder / name, OTHERS, begin)["REDIS_URL"]
    with Redis.from_url(url) as client:
        assert client.ping()
        assert client.config_get("save") == {"save": ""}
    with Connection(env.celery_broker(url)) as broker:
        queue = broker.SimpleQueue("bell")
        queue.put({"rung": True})
        assert queue.get(timeout=5).payload == {"rung": True}
        queue.close()


def test_it_is_private(folder: Path, begin: Start) -> None:
    url = private.start(folder, OTHERS, begin)["REDIS_URL"]
    path = Path(url.removeprefix("unix://"))
    assert path.stat().st_mode & 0o777 == 0o700
    assert path.parent.stat().st_mode & 0o777 == 0o700
    with Redis.from_url(url) as client:
        assert client.config_get("port") == {"port": "0"}


def test_a_server_of_the_machines_is_taken_where_no_package_has_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Problem, match="install redis-server or valkey-server, or set REDIS_URL"):
        redis.binary()
    (tmp_path / "valkey-server").touch(mode=0o755)
    assert redis.binary() == str(tmp_path / "valkey-server")
