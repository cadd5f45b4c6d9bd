"""Starts commands in the processes of a guest, with their output in a file."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from benchhost.emulator.guests.processes import Command, Process, Processes


class Shell:
    """Commands below one first process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        self.processes = Processes(self.asked.append)
        self.output = folder / "output"

    async def start(self, script: str) -> Process:
        command = Command(
            program="/bin/sh",
            arguments=("sh", "-c", script),
            folder=self.folder,
            environment={"PATH": os.environ["PATH"]},
        )
        output = os.open(self.output, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            return await self.processes.run(command, (output, output, output))
        finally:
            os.close(output)

    async def run(self, script: str) -> int:
        return await (await self.start(script)).wait()

    async def wrote(self, lines: int) -> list[str]:
        """What the commands have written, once it has so many lines."""
        async with asyncio.timeout(60):
            while len(found := self.output.read_text().splitlines()) < lines:  # noqa: ASYNC110 - a file of others
                await asyncio.sleep(0.01)
        return found
