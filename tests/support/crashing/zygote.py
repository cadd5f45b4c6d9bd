"""A process that has imported the controller and forks one whenever it is asked: a controller starts in 50 ms.

Run as ``python -m support.crashing.zygote FD`` with one end of a Unix socket. Each line on the socket is a command,
a JSON object, and brings two file descriptors: where the controller's requests are reported, and its log. The answer
is the controller's process id. When the socket is closed every controller is killed, so that none outlives the tests.
It must stay single-threaded: only then is a fork a faithful copy.
"""

import contextlib
import gc
import json
import os
import random
import signal
import socket
import sys
import threading
from typing import Any

import azure.identity.aio
import azure.mgmt.compute.aio.operations
import azure.mgmt.compute.models
import azure.mgmt.network.aio.operations
import azure.mgmt.network.models
import kubernetes.aio.config

import benchhost.azure
import benchhost.cli.main
import benchhost.controller.app
import benchhost.controller.settings
from support.crashing.talks import Kill, Moment, Talks, count_requests

PRELOADED = (
    azure.identity.aio,
    azure.mgmt.compute.aio.operations,
    azure.mgmt.compute.models,
    azure.mgmt.network.aio.operations,
    azure.mgmt.network.models,
    kubernetes.aio.config,
    benchhost.azure,
    benchhost.controller.app,
    benchhost.controller.settings,
)
"""What the command imports only when it runs."""


def warm_up() -> None:
    """Let the SDK prepare its classes, which it does at the first answer that it reads: a quarter of a second."""
    properties = {
        "ipConfigurations": [{"properties": {"publicIPAddress": {"properties": {}}, "subnet": {"properties": {}}}}]
    }
    azure.mgmt.network.models.NetworkInterface({"properties": properties}).as_dict()
    azure.mgmt.network.models.VirtualNetwork({"properties": {"subnets": [{"properties": {}}]}}).as_dict()
    azure.mgmt.compute.models.VirtualMachine(
        {"location": "eastus", "properties": {"storageProfile": {"osDisk": {}}}}
    ).as_dict()


def serve(commands: socket.socket) -> None:
    """Fork a controller for each command."""
    warm_up()
    gc.freeze()
    children: set[int] = set()
    while True:
        line, descriptors, _, _ = socket.recv_fds(commands, 65536, 2)
        if not line:
            break
        child = os.fork()
        if child == 0:
            commands.close()
            become_controller(json.loads(line), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        children = {known for known in children if _is_alive(known)} | {child}
        commands.sendall(f"{child}\n".encode())
    for known in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(known, signal.SIGKILL)


def become_controller(command: dict[str, Any], report: int, log: int) -> None:
    """Run ``benchhost`` as from a shell, and end this process with its exit code."""
    code = 70
    try:
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.environ.update(command["environment"])
        random.seed()
        kill = command["kill"]
        count_requests(Talks(report, Kill(kill["name"], kill["nth"], Moment(kill["moment"])) if kill else None))
        sys.argv = ["benchhost", *command["arguments"]]
        benchhost.cli.main.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - a fork must never return into the zygote
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(report, f"ENDED {code}\n".encode())
        os._exit(code)


def _is_alive(child: int) -> bool:
    return os.waitpid(child, os.WNOHANG) == (0, 0)


if __name__ == "__main__":
    assert threading.active_count() == 1, threading.enumerate()
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        serve(connection)
