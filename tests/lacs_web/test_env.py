"""What the environment may say, and what it is told when it says it wrong."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from lacs_web import env


def test_a_socket_address_is_read() -> None:
    entry = env.database("postgresql://postgres:@/lacs?host=/run/pg&sslmode=disable")
    assert (entry["NAME"], entry["USER"], entry["HOST"]) == ("lacs", "postgres", "/run/pg")
    assert entry["OPTIONS"] == {"sslmode": "disable"}


@pytest.mark.parametrize("url", ["", "sqlite:///x.db", "postgresql://[broken/x"])
def test_a_wrong_database_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        env.database(url)


def test_the_broker_address_follows_redis_url() -> None:
    assert env.celery_broker("unix:///run/r.sock") == "redis+socket:///run/r.sock"
    assert env.celery_broker("redis://h:1/2") == "redis://h:1/2"
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL"):
        env.celery_broker("amqp://h")


def test_the_public_address_gives_host_and_origin() -> None:
    assert env.origin("https://lacs.example.org:8443") == (
        "lacs.example.org",
        "https://lacs.example.org:8443",
    )
    with pytest.raises(ImproperlyConfigured, match="PUBLIC_URL"):
        env.origin("lacs.example.org")


def test_a_word_that_is_not_known_is_refused() -> None:
    assert env.one_of("LOG_FORMAT", "json", "line json") == "json"
    with pytest.raises(ImproperlyConfigured, match="LOG_FORMAT must be one of: line json"):
        env.one_of("LOG_FORMAT", "xml", "line json")
