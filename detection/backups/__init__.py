"""Saving all that stands, and bringing it back: tables and picture bytes, consistent together.

    TARGET/files/<name in the storage>       bytes, each once for all snapshots
    TARGET/snapshots/<instant>/tables/*.gz   what PostgreSQL held, as COPY writes it
    TARGET/snapshots/<instant>/files.gz      lines "SHA-256 size name": the bytes that it speaks of
    TARGET/snapshots/<instant>/manifest.json written last: a folder without one is no snapshot

Neither pg_dump nor a superuser is needed. Sessions are not saved, nor what the environment says
(SECRET_KEY among it).
"""
