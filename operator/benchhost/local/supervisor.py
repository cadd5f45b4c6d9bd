"""Keeps the processes of one instance and ends them when the process that started it is gone.

Run as a program of its own by `benchhost.local.supervised`, by its file name and with the standard library alone,
so that it starts in a few hundredths of a second. Its standard input is a pipe whose other end only the parent
holds: end of file is the one signal to stop everything, and it comes on a normal stop, on an exception and on
SIGKILL of the parent alike. It must never outlive its children, and never leave one of them running.

Requests, one JSON object a line:

    {"do": "start", "name", "argv", "log", "grace"?, "env"?, "cwd"?}
    {"do": "stop", "name"}
    {"do": "finally", "argv"}    a command to run at the end
    {"do": "remove", "path"}     a file or folder to delete at the end
    {"do": "keep"}               forget what was to be deleted

Answers, the same way:

    {"event": "started", "name", "pid"}
    {"event": "refused", "name", "reason"}
    {"event": "exited", "name", "code"}
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

GRACE_SECONDS = 5.0
"""From SIGTERM to SIGKILL, for a child that was started without a grace period of its own."""

FINAL_COMMAND_SECONDS = 120.0
"""For a command that runs at the end: `kind delete cluster` takes some seconds."""

PR_SET_PDEATHSIG = 1
"""From linux/prctl.h: the signal that a process gets when its parent dies."""


class Supervisor:
    """The children of one instance, in the order in which they were started."""

    def __init__(self) -> None:
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._graces: dict[str, float] = {}
        self._final_commands: list[list[str]] = []
        self._doomed: list[str] = []

    def handle(self, request: dict[str, Any]) -> None:
        """Carry out one request of the parent."""
        match request:
            case {"do": "start"}:
                self._start(request)
            case {"do": "stop", "name": str(name)}:
                self._stop(name)
            case {"do": "finally", "argv": list(argv)}:
                self._final_commands.append(argv)
            case {"do": "remove", "path": str(path)}:
                self._doomed.append(path)
            case {"do": "keep"}:
                self._doomed.clear()
            case _:
                sys.stderr.write(f"supervisor: not a request: {request}\n")

    def _start(self, request: dict[str, Any]) -> None:
        name = request["name"]
        try:
            with open(request["log"], "ab") as log:  # noqa: PTH123 - importing pathlib doubles the start-up time
                child = subprocess.Popen(  # noqa: S603 - the parent's own commands
                    request["argv"],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=request.get("env"),
                    cwd=request.get("cwd"),
                    preexec_fn=die_with_parent(),  # noqa: PLW1509 - this process has one thread
                )
        except OSError as error:
            report(event="refused", name=name, reason=f"{error.strerror}: {error.filename}")
            return
        self._children[name] = child
        self._graces[name] = request.get("grace") or GRACE_SECONDS
        report(event="started", name=name, pid=child.pid)

    def _stop(self, name: str) -> None:
        child = self._children.pop(name, None)
        if child is None:
            return
        child.terminate()
        try:
            child.wait(self._graces[name])
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        report(event="exited", name=name, code=child.returncode)

    def reap(self) -> None:
        """Report the children that ended by themselves."""
        for name, child in list(self._children.items()):
            if child.poll() is not None:
                del self._children[name]
                report(event="exited", name=name, code=child.returncode)

    def end(self) -> None:
        """Stop the children, the last started first, then clean up."""
        for name in reversed(list(self._children)):
            self._stop(name)
        for argv in self._final_commands:
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run(  # noqa: S603 - the parent's own commands
                    argv, stdin=subprocess.DEVNULL, stdout=sys.stderr, timeout=FINAL_COMMAND_SECONDS, check=False
                )
        for path in self._doomed:
            remove(path)


def remove(path: str) -> None:
    """Delete a folder or a file; what is gone already is fine."""
    if os.path.isdir(path):  # noqa: PTH112 - importing pathlib doubles the start-up time
        shutil.rmtree(path, ignore_errors=True)
        return
    with contextlib.suppress(OSError):
        os.unlink(path)  # noqa: PTH108 - importing pathlib doubles the start-up time


def die_with_parent() -> Callable[[], None] | None:
    """Make a child of this process end with it, where the kernel can: the net under SIGKILL of the supervisor."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def report(**event: object) -> None:
    """Tell the parent, if it still listens."""
    with contextlib.suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), json.dumps(event).encode() + b"\n")


def serve(supervisor: Supervisor, wakeup: int) -> None:
    """Take requests, and report children that end, until the parent's end of the pipe is closed."""
    requests = sys.stdin.fileno()
    selector = selectors.DefaultSelector()
    selector.register(requests, selectors.EVENT_READ)
    selector.register(wakeup, selectors.EVENT_READ)
    pending = b""
    while True:
        ready = {key.fd for key, _ in selector.select()}
        if wakeup in ready:
            os.read(wakeup, 4096)
            supervisor.reap()
        if requests not in ready:
            continue
        received = os.read(requests, 65536)
        if not received:
            return
        *lines, pending = (pending + received).split(b"\n")
        for line in lines:
            supervisor.handle(json.loads(line))


def main() -> None:
    """Serve until the parent is gone or asks for the end with SIGTERM."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    supervisor = Supervisor()
    try:
        serve(supervisor, reader)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        supervisor.end()


if __name__ == "__main__":
    main()
