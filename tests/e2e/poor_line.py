"""A poor line: a proxy that cuts connections and answers 503, in front of a real web server."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

from django.db import connection

CHUNK = 16 * 1024
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class PoorLine:
    """Forwards 127.0.0.1:`port` to `target`; unless `calm`, each connection ends badly.

    A fifth of the connections hear 503 to whatever they ask; the others are cut after some
    bytes, on their way there or back, a twentieth of the answers among their headers.
    """

    def __init__(self, target: int, seed: int = 1) -> None:
        self.target, self.calm = target, True
        self.cut = self.busy = self.beheaded = 0
        self._dice = random.Random(seed)
        self._server = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        poor = not self.calm
        if poor and self._dice.random() < 0.2:
            with contextlib.suppress(OSError), client:
                client.settimeout(10)
                client.recv(CHUNK)
                client.sendall(BUSY)
                self.busy += 1
            return
        try:
            server = socket.create_connection(("127.0.0.1", self.target), timeout=10)
        except OSError:
            client.close()  # the web server is down
            return
        left = [self._dice.randrange(1_000, 400_000) if poor else sys.maxsize]
        there = threading.Thread(target=self._pump, args=[client, server, left], daemon=True)
        there.start()
        self._pump(server, client, left, answers=poor)
        there.join(30)
        for end in (client, server):
            end.close()

    def _pump(
        self, source: socket.socket, sink: socket.socket, left: list[int], answers: bool = False
    ) -> None:
        with contextlib.suppress(OSError):
            source.settimeout(60)
            while data := source.recv(min(CHUNK, max(1, left[0]))):
                if answers and data.startswith(b"HTTP/") and self._dice.random() < 0.05:
                    sink.sendall(data[: data.index(b"\r\n") + 9])
                    self.beheaded += 1
                    break
                sink.sendall(data)
                left[0] -= len(data)
                if left[0] <= 0:
                    self.cut += 1
                    break
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class WebServer:
    """Gunicorn as `make up` starts it, on the tests' database; may be killed and restarted."""

    def __init__(self, data: Path, public_url: str = "") -> None:
        self.port = free_port()
        self.data, self.public_url = data, public_url
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        database = connection.settings_dict
        environment = os.environ | {
            "DATABASE_URL": f"postgresql://{database['USER']}@/{database['NAME']}"
            f"?host={database['HOST']}",
            "LACS_DATA": str(self.data),
            "PUBLIC_URL": self.public_url,
            "DEBUG": "true",  # static files without collecting them
            "LOG_LEVEL": "ERROR",
        }
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "lacs_web.wsgi:application"),
                *("--bind", f"127.0.0.1:{self.port}", "--log-level", "error"),
                *("--worker-class", "gthread", "--threads", "8", "--workers", "2"),
                "--no-control-socket",
            ],
            env=environment,
            start_new_session=True,
        )
        limit = time.monotonic() + 60
        while time.monotonic() < limit:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5)
                return
            time.sleep(0.1)
        raise AssertionError("the web server did not start")

    def kill(self) -> None:
        """kill -9, workers and all."""
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
