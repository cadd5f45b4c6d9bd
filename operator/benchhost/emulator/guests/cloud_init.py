"""What the first boot of a disk does with a machine's custom data, as far as cloud-init's most used parts go.

Used by `guest`. A script is run; of ``#cloud-config`` there are ``write_files`` and ``runcmd``. What goes wrong is told
in the log of the output and on the serial console, and stops nothing, as in a real guest.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from benchhost.emulator.guests.processes import Command, Processes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from benchhost.emulator.guests.disk import Disk

_CONFIG = "#cloud-config"
_KNOWN = ("runcmd", "write_files")
_DEFAULT_MODE = "0644"
_BASE64 = ("b64", "base64")


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenFile:
    """An item of ``write_files``.

    Parameters
    ----------
    path
        Below the guest's root, without a slash before it.
    content
        What is written.
    mode
        Permissions.
    appends
        Whether it is added to what is there.
    """

    path: str
    content: bytes
    mode: int
    appends: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What custom data asks for.

    Parameters
    ----------
    files
        What is written before anything is run.
    script
        What is run; None for nothing.
    remarks
        What could not be understood, a sentence each.
    """

    files: tuple[WrittenFile, ...] = ()
    script: str | None = None
    remarks: tuple[str, ...] = field(default=())


def plan_of(custom_data: str | None) -> Plan:
    """Return what base64 custom data asks for; it never fails."""
    try:
        text = base64.b64decode(custom_data or "", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        return Plan(remarks=(f"The custom data is not text in base64: {error}.",))
    if not text.strip():
        return Plan()
    if text.startswith("#!"):
        return Plan(script=text)
    if text.startswith(_CONFIG):
        return _plan_of_config(text)
    return Plan(remarks=("Unhandled custom data: it begins neither with #! nor with #cloud-config.",))


class FirstBoot:
    """The first boot of a disk; at any other it does nothing.

    Parameters
    ----------
    disk
        Which disk.
    processes
        Who runs scripts.
    folder, environment
        Where scripts start, and with what.
    """

    def __init__(self, disk: Disk, processes: Processes, *, folder: Path, environment: Mapping[str, str]) -> None:
        self._disk = disk
        self._processes = processes
        self._folder = folder
        self._environment = dict(environment)

    async def run(self, custom_data: str | None, printed: Callable[[list[str]], None]) -> None:
        """Carry custom data out, once in the life of the disk even where it is cut short."""
        begun = self._disk.instance / "begun"
        if begun.exists():
            return
        begun.touch()
        with contextlib.suppress(ConnectionError):  # a guest that goes down in the middle of it
            await self._carry_out(plan_of(custom_data), printed)

    async def _carry_out(self, plan: Plan, printed: Callable[[list[str]], None]) -> None:
        remarks = [*plan.remarks, *self._write(plan.files)]
        if plan.script is not None and (failure := await self._run(plan.script)) is not None:
            remarks.append(failure)
        with self._disk.output_log.open("a", encoding="utf-8") as log:
            log.writelines(f"{remark}\n" for remark in remarks)
        (self._disk.instance / "boot-finished").touch()
        if remarks:
            printed([f"cloud-init[812]: {remark}" for remark in remarks])

    def _write(self, files: tuple[WrittenFile, ...]) -> list[str]:
        failures = []
        for file in files:
            path = self._disk.root / file.path
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("ab" if file.appends else "wb") as opened:
                    opened.write(file.content)
                path.chmod(file.mode)
            except OSError as error:
                failures.append(f"Failed to write {file.path}: {error.strerror}.")
        return failures

    async def _run(self, script: str) -> str | None:
        """Run a script, and return how it failed, if it did."""
        path = self._disk.instance / "scripts" / "part-001"
        path.write_text(script, encoding="utf-8")
        path.chmod(0o700)
        command = Command(program=str(path), arguments=(str(path),), folder=self._folder, environment=self._environment)
        nothing = os.open(os.devnull, os.O_RDONLY)
        output = os.open(self._disk.output_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            process = await self._processes.run(command, (nothing, output, output))
        finally:
            os.close(nothing)
            os.close(output)
        status = await process.wait()
        return None if status == 0 else f"Failed running {path.relative_to(self._disk.root)} [{status}]"


def _plan_of_config(text: str) -> Plan:
    try:
        config = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return Plan(remarks=(f"Failed loading yaml blob: {' '.join(str(error).split())}.",))
    if config is None:
        return Plan()
    if not isinstance(config, dict):
        return Plan(remarks=("Failed loading yaml blob: it is no mapping.",))
    remarks = [f"A guest of the emulator ignores {name!r}." for name in config if name not in _KNOWN]
    files = []
    items = config.get("write_files") or []
    for item in items if isinstance(items, list) else [items]:
        try:
            files.append(_file_of(item))
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            remarks.append(f"An item of write_files is not understood: {error!r}.")
    script = None
    try:
        script = _script_of(config.get("runcmd") or [])
    except TypeError as error:
        remarks.append(f"runcmd is not understood: {error}.")
    return Plan(files=tuple(files), script=script, remarks=tuple(remarks))


def _file_of(item: Mapping[str, Any]) -> WrittenFile:
    encoding = str(item.get("encoding") or "text/plain").lower()
    content = item.get("content") or ""
    if encoding in _BASE64:
        content = base64.b64decode(content)
    elif encoding != "text/plain":
        raise ValueError(f"the encoding {encoding} is not known here")
    parts = [part for part in str(item["path"]).split("/") if part not in ("", ".")]
    if ".." in parts or not parts:
        raise ValueError(f"{item['path']} is no path of a file")
    return WrittenFile(
        path="/".join(parts),
        content=content if isinstance(content, bytes) else str(content).encode(),
        mode=_mode_of(item.get("permissions")),
        appends=bool(item.get("append")),
    )


def _mode_of(permissions: Any) -> int:
    """Return permissions, which YAML has made a number of when they were not quoted."""
    return permissions if isinstance(permissions, int) else int(str(permissions or _DEFAULT_MODE), 8)


def _script_of(commands: Any) -> str | None:
    """Return one script of all commands: a failed one does not keep the others from running (doc: cc_runcmd)."""
    if not isinstance(commands, list):
        raise TypeError("it is no list")
    lines = [shlex.join(map(str, command)) if isinstance(command, list) else str(command) for command in commands]
    return "\n".join(("#!/bin/sh", *lines, "")) if lines else None
