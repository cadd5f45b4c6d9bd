"""What the kernel says about processes and sockets (Linux)."""

import time
from collections.abc import Iterable
from pathlib import Path

LISTEN = "0A"


def is_running(pid: int) -> bool:
    """A zombie has ended: only nobody has asked for its exit code yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for_end(pids: Iterable[int], seconds: float = 20) -> list[int]:
    """Wait until all have ended; those that have not."""
    deadline = time.monotonic() + seconds
    left = [pid for pid in pids if is_running(pid)]
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = [pid for pid in left if is_running(pid)]
    return left


def descendants(pid: int) -> dict[int, str]:
    """Children and their children, with the name of their program as it was called."""
    found: dict[int, str] = {}
    parents = [pid]
    while parents:
        parent = parents.pop()
        for child in _children(parent):
            found[child] = Path(_arguments(child)[0]).name
            parents.append(child)
    return found


def listening_addresses(pid: int) -> set[str]:
    """Local addresses, in the kernel's hexadecimal, on which a process accepts TCP connections."""
    inodes = {_link(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    addresses = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTEN and f"socket:[{fields[9]}]" in inodes:
                addresses.add(fields[1].partition(":")[0])
    return addresses


def _link(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:
        return ""


def _children(pid: int) -> list[int]:
    children: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        children.extend(int(child) for child in (task / "children").read_text().split())
    return children


def _arguments(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
