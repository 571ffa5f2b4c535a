"""Typed readers of what the environment says, each failing with a sentence that says what to do.

Pure: knows nothing of Django's settings, only of the forms that our own variables take.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict


def database(url: str) -> dict[str, Any]:
    """Django's DATABASES entry for any connection string that libpq understands.

    Raises ImproperlyConfigured when `url` is empty or not PostgreSQL: it is the single store.
    """
    if not url:
        raise ImproperlyConfigured(
            "DATABASE_URL is not set. `make up` and `make test` start a private PostgreSQL; "
            "otherwise name one, for example DATABASE_URL=postgresql://lacs@db.example.org/lacs."
        )
    if not url.startswith(("postgresql://", "postgres://")):
        raise ImproperlyConfigured(
            f"DATABASE_URL must begin with postgresql://, not {url.split(':', 1)[0]!r}: "
            "PostgreSQL is the single store and no other database is supported."
        )
    try:
        parts = conninfo_to_dict(url)
    except Exception as error:
        raise ImproperlyConfigured(f"DATABASE_URL cannot be read: {error}") from None
    known = {
        "dbname": "NAME",
        "user": "USER",
        "password": "PASSWORD",
        "host": "HOST",
        "port": "PORT",
    }
    entry: dict[str, Any] = {"ENGINE": "django.db.backends.postgresql", "OPTIONS": {}}
    for key, value in parts.items():
        if key in known:
            entry[known[key]] = str(value)
        else:
            entry["OPTIONS"][key] = value
    return entry


def celery_broker(url: str) -> str:
    """Celery's spelling of a Redis address: `unix://` sockets are `redis+socket://` there."""
    scheme = urlsplit(url).scheme
    if scheme == "unix":
        return "redis+socket://" + url.removeprefix("unix://").replace("?db=", "?virtual_host=")
    if scheme in {"redis", "rediss"}:
        return url
    raise ImproperlyConfigured(
        f"REDIS_URL must begin with redis://, rediss:// or unix://, not {url!r}."
    )


def storage(*, bucket: str, endpoint: str, region: str, folder: str) -> dict[str, Any]:
    """Django's STORAGES entry for picture bytes: a bucket if one is named, else MEDIA_ROOT.

    Overwriting is harmless, for the name is the content. Who may enter the bucket is said where
    boto3 looks: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or the machine's role.
    """
    if not bucket:
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"allow_overwrite": True},
        }
    options = {
        "bucket_name": bucket,
        "endpoint_url": endpoint or None,
        "region_name": region or None,
        "location": folder,
        "file_overwrite": True,
        "default_acl": None,
        "object_parameters": {"ContentType": "application/octet-stream"},
    }
    return {"BACKEND": "lacs_web.bucket.Bucket", "OPTIONS": options}


def origin(url: str) -> tuple[str, str]:
    """(host name, origin) of PUBLIC_URL, from which hosts, CSRF and links derive."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ImproperlyConfigured(
            f"PUBLIC_URL must be the address that people type, such as https://lacs.example.org, "
            f"not {url!r}."
        )
    return parts.hostname, f"{parts.scheme}://{parts.netloc}"


def one_of(name: str, value: str, known: str) -> str:
    """`value`, if it is one of the words of `known`."""
    if value not in known.split():
        raise ImproperlyConfigured(f"{name} must be one of: {known}; not {value!r}.")
    return value
