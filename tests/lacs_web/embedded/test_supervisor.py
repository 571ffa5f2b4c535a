"""A supervisor in a process of its own, with real children, signalled for real."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Eventually = Callable[[Callable[[], bool]], None]
Alive = Callable[[int], bool]

# Each service notes its start, its own child and its polite end in the file `notes`.
SCRIPT = """
import contextlib, sys, time
from lacs_web.embedded.service import Service
from lacs_web.embedded.supervisor import Stopped, Supervisor

SHELL = '''
trap "echo $0 stopped >> notes; kill $child 2>/dev/null; exit 0" TERM
sleep 1000 & child=$!
echo $0 started $$ $child >> notes
echo hello from $0
wait $child; wait $child
'''
DEAF = "trap '' TERM; echo $0 started $$ 0 >> notes; while :; do sleep 0.1; done"
ALONE = '''
sh -c 'trap "echo alone signalled >> notes" TERM; while :; do sleep 0.1; done' & child=$!
trap "sleep 1; kill -9 $child; echo $0 stopped >> notes; exit 0" TERM
echo $0 started $$ $child >> notes
wait $child; wait $child
'''
with Supervisor() as supervisor, contextlib.suppress(Stopped):
    for stage, name in enumerate(["store", "worker", "web"]):
        supervisor.start(Service(name, ["sh", "-c", SHELL, name], stage=stage))
    for name, line in (("deaf", DEAF), ("deadly", DEAF.replace("while", "kill -9 $PPID; while"))):
        if name in sys.argv:
            while open("notes").read().count("started") < 3:
                time.sleep(0.02)
            supervisor.start(Service(name, ["sh", "-c", line, name], stage=9, grace=0.3))
    if "alone" in sys.argv:
        supervisor.start(Service("alone", ["sh", "-c", ALONE, "alone"], ends_its_own=True))
    supervisor.wait()
print("all stopped")
"""


class Watched:
    def __init__(self, folder: Path, *arguments: str) -> None:
        self.notes = folder / "notes"
        self.console = folder / "console"
        with self.console.open("wb") as console:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SCRIPT, *arguments],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])},
                stdout=console,
                stderr=subprocess.STDOUT,
            )

    def lines(self) -> list[list[str]]:
        return [line.split() for line in self.notes.read_text().splitlines()]

    def started(self, name: str) -> list[list[int]]:
        """[process, its child] for each start of `name` so far."""
        if not self.notes.exists():
            return []
        return [[int(n) for n in rest] for who, what, *rest in self.lines()
                if (who, what) == (name, "started")]  # fmt: skip

    def stopped(self) -> list[str]:
        return [who for who, what, *_ in self.lines() if what == "stopped"]

    def pids(self) -> list[int]:
        names = ("store", "worker", "web", "deaf", "deadly")
        return [pid for name in names for pair in self.started(name) for pid in pair if pid]


@pytest.fixture
def watched(tmp_path: Path, eventually: Eventually) -> Iterator[Callable[..., Watched]]:
    made: list[Watched] = []

    def start(*arguments: str) -> Watched:
        one = Watched(tmp_path, *arguments)
        made.append(one)
        names = ("store", "worker", "web", *arguments)
        eventually(lambda: all(one.started(name) for name in names))
        return one

    yield start
    for one in made:
        one.process.kill()
        one.process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_end_is_in_order_and_complete(
    watched: Callable[..., Watched], alive: Alive, number: signal.Signals
) -> None:
    one = watched()
    one.process.send_signal(number)
    assert one.process.wait(20) == 0
    assert one.stopped() == ["web", "worker", "store"]
    assert not [pid for pid in one.pids() if alive(pid)]
    assert "all stopped" in one.console.read_text()


def test_a_dead_process_is_started_again_and_said(
    watched: Callable[..., Watched], alive: Alive, eventually: Eventually
) -> None:
    one = watched()
    ((pid, child),) = one.started("worker")
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: len(one.started("worker")) == 2)
    assert not alive(child), "what the dead one had started runs beside what the new one starts"
    assert len(one.started("web")) == 1
    said = one.console.read_text()
    assert "worker ended (signal SIGKILL); starting it again in" in said
    assert "hello from worker" in said


def test_a_process_deaf_to_the_signal_is_killed(
    watched: Callable[..., Watched], alive: Alive
) -> None:
    one = watched("deaf")
    one.process.terminate()
    assert one.process.wait(20) == 0
    assert not [pid for pid in one.pids() if alive(pid)]


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_what_ends_its_own_processes_is_signalled_alone(
    watched: Callable[..., Watched], alive: Alive, eventually: Eventually, end: signal.Signals
) -> None:
    """By the supervisor, and by its guardian."""
    one = watched("alone")
    one.process.send_signal(end)
    one.process.wait(20)
    eventually(lambda: not any(alive(pid) for pair in one.started("alone") for pid in pair))
    assert "alone" in one.stopped()
    assert ["alone", "signalled"] not in one.lines()


def test_nothing_outlives_a_killed_supervisor(
    watched: Callable[..., Watched], alive: Alive, eventually: Eventually
) -> None:
    one = watched("deaf")
    one.process.kill()
    eventually(lambda: not any(alive(pid) for pid in one.pids()))
    assert sorted(one.stopped()) == ["store", "web", "worker"], "each was asked politely first"


def test_nothing_outlives_a_supervisor_that_dies_while_it_starts_something(
    watched: Callable[..., Watched], alive: Alive, eventually: Eventually
) -> None:
    one = watched("deadly")
    assert one.process.wait(20) == -signal.SIGKILL
    eventually(lambda: not any(alive(pid) for pid in one.pids()))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals the children of the dead")
def test_services_end_when_the_guardian_is_killed_too(
    watched: Callable[..., Watched], alive: Alive, eventually: Eventually
) -> None:
    one = watched()
    listing = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(one.process.pid)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    (guardian,) = (int(line.split()[0]) for line in listing if "embedded.guardian" in line)
    os.kill(guardian, signal.SIGKILL)
    one.process.kill()
    eventually(lambda: not any(alive(pid) for pid, _ in [
        one.started(name)[0] for name in ("store", "worker", "web")
    ]))  # fmt: skip


STEPS = """
from lacs_web.embedded.problem import Problem
from lacs_web.embedded.supervisor import Supervisor
with Supervisor() as supervisor:
    print([supervisor.run("ask", ["sh", "-c", "echo answer; echo aside >&2"], capture=True)])
    supervisor.run("count", ["sh", "-c", "seq 30000; printf unended"])
    try:
        supervisor.run("fail", ["sh", "-c", "echo because; exit 3"])
    except Problem as problem:
        print(problem)
"""


def test_steps_are_run_to_their_end(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STEPS], check=True, capture_output=True, text=True, timeout=60
    )
    lines = done.stdout.splitlines()
    assert lines[0] == "['answer\\n']"
    assert [line.split()[1] for line in lines if line.startswith("count")] == [
        *(str(number) for number in range(1, 30001)),
        "unended",
    ]
    assert lines[-2].split() == ["fail", "because"]
    assert lines[-1] == "the step “fail” failed; its last lines are above."
    assert done.stderr == "aside\n"
