"""The rows of every table to a folder and back, through PostgreSQL's own COPY."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

# Whoever steals a backup must not be signed in by it.
LEFT_OUT = {"django_session", "lacs_web_session", "lacs_web_signinattempt"}


class NotThis(ValueError):
    """The snapshot cannot be loaded: it is damaged, or of another version."""


@dataclass(frozen=True)
class Table:
    columns: list[str]
    rows: int
    sha256: str  # of the COPY text, before it is packed


@dataclass
class Snapshot:
    """What a manifest says of the database."""

    migrations: list[list[str]] = field(default_factory=list)  # [[app, name], …] applied
    tables: dict[str, Table] = field(default_factory=dict)
    sequences: dict[str, list[Any]] = field(default_factory=dict)  # name → [last, is called]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, said: dict[str, Any]) -> Snapshot:
        tables = {name: Table(**table) for name, table in said["tables"].items()}
        return cls(said["migrations"], tables, said["sequences"])


def begin_reading() -> None:
    """See one state of the database until the transaction ends. Its first statement."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def dump(folder: Path) -> Snapshot:
    """Write every table to `folder`, as the open transaction sees them."""
    folder.mkdir(parents=True)
    snapshot = Snapshot()
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations ORDER BY id")
        snapshot.migrations = [list(row) for row in cursor.fetchall()]
        cursor.execute(
            "SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position) "
            "FROM information_schema.columns JOIN information_schema.tables "
            "USING (table_schema, table_name) WHERE table_schema = 'public' "
            "AND table_type = 'BASE TABLE' AND is_generated = 'NEVER' GROUP BY 1 ORDER BY 1"
        )
        for table, columns in cursor.fetchall():
            if table not in LEFT_OUT:
                snapshot.tables[table] = _dump(cursor, table, columns, folder)
        cursor.execute("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'")
        for (name,) in cursor.fetchall():
            cursor.execute("SELECT last_value, is_called FROM " + _quoted(name))  # noqa: S608
            snapshot.sequences[name] = list(cursor.fetchone())
    return snapshot


def _dump(cursor: Any, table: str, columns: list[str], folder: Path) -> Table:
    digest = hashlib.sha256()
    with (
        gzip.open(_file(folder, table), "wb", compresslevel=4) as file,
        cursor.copy(f"COPY {_quoted(table)} ({_list(columns)}) TO STDOUT") as copy,
    ):
        for data in copy:
            digest.update(data)
            file.write(data)
    return Table(columns, cursor.rowcount, digest.hexdigest())


def check(snapshot: Snapshot, folder: Path) -> None:
    """Raise NotThis unless `folder` holds what `snapshot` says and this version can take it."""
    known = MigrationExecutor(connection).loader.disk_migrations
    strange = [f"{app}.{name}" for app, name in snapshot.migrations if (app, name) not in known]
    if strange:
        raise NotThis(
            "it was made by another version of LACS (this one does not know "
            f"{', '.join(strange[:3])}): install that version to restore it"
        )
    for name, table in snapshot.tables.items():
        digest = hashlib.sha256()
        try:
            with gzip.open(_file(folder, name)) as file:
                while data := file.read(1 << 20):
                    digest.update(data)
        except (OSError, EOFError) as problem:
            raise NotThis(f"its table {name} cannot be read ({problem})") from None
        if digest.hexdigest() != table.sha256:
            raise NotThis(f"its table {name} is not what was saved")


def load(snapshot: Snapshot, folder: Path) -> None:
    """Replace whatever the database holds by the snapshot, then bring the schema up to date.

    The rows come in one transaction: cut off, they are all there or none is. Raises
    OperationalError when other processes hold the tables for more than ten seconds.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '10s'")
        cursor.execute("DROP SCHEMA public CASCADE")
        cursor.execute("CREATE SCHEMA public")
        cursor.execute("SET lock_timeout = 0")
    executor = MigrationExecutor(connection)
    executor.migrate(_leaves(snapshot, executor))
    with transaction.atomic(), connection.cursor() as cursor:
        # Migrations leave rows of their own (who may do what in the administration).
        cursor.execute("TRUNCATE " + ", ".join(map(_quoted, snapshot.tables)) + " CASCADE")
        for name, table in snapshot.tables.items():
            # What triggers would write of this is in the snapshot already.
            cursor.execute(f"ALTER TABLE {_quoted(name)} DISABLE TRIGGER USER")
            columns = f"{_quoted(name)} ({_list(table.columns)})"
            with (
                gzip.open(_file(folder, name)) as file,
                cursor.copy(f"COPY {columns} FROM STDIN") as copy,
            ):
                while data := file.read(1 << 20):
                    copy.write(data)
            if cursor.rowcount != table.rows:
                raise NotThis(f"its table {name} has {cursor.rowcount} rows, not {table.rows}")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for name in snapshot.tables:
            cursor.execute(f"ALTER TABLE {_quoted(name)} ENABLE TRIGGER USER")
        for name, (last, called) in snapshot.sequences.items():
            cursor.execute("SELECT setval(%s::regclass, %s, %s)", [_quoted(name), last, called])
    call_command("migrate", verbosity=0, interactive=False)


def _leaves(snapshot: Snapshot, executor: MigrationExecutor) -> list[tuple[str, str]]:
    """The last applied migrations of each app: naming an earlier one would go back to it."""
    applied = {(app, name) for app, name in snapshot.migrations}
    graph = executor.loader.graph
    return sorted(
        (app, name)
        for app, name in applied
        if (app, name) in graph.nodes
        and not any(
            child.key[0] == app and child.key in applied
            for child in graph.node_map[(app, name)].children
        )
    )


def _file(folder: Path, table: str) -> Path:
    return folder / f"{table}.gz"


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _list(columns: list[str]) -> str:
    return ", ".join(map(_quoted, columns))
