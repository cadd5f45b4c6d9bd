"""A TCP proxy before the API server that can cut or freeze its connections: a bad network, on demand."""

import contextlib
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import yaml


class TcpProxy:
    """Forwards a loopback port to the server of a kubeconfig.

    Parameters
    ----------
    kubeconfig
        The real one.
    copy
        Where to write one that goes through the proxy.
    """

    def __init__(self, kubeconfig: Path, copy: Path) -> None:
        content = yaml.safe_load(kubeconfig.read_text())
        cluster = content["clusters"][0]["cluster"]
        url = urlsplit(cluster["server"])
        self._target = (url.hostname, url.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        cluster["server"] = f"https://127.0.0.1:{self.port}"
        if "certificate-authority" in cluster:
            cluster["certificate-authority"] = str(kubeconfig.parent / cluster["certificate-authority"])
        copy.write_text(yaml.safe_dump(content))
        self.kubeconfig = copy
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._flowing = threading.Event()
        self._flowing.set()
        self._refuses = False
        self.connections = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._flowing.set()
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """End all connections now, as a load balancer that restarts."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def take_down(self) -> None:
        """End all connections, and every new one at once, as a server that is away."""
        self._refuses = True
        self.cut()

    def bring_up(self) -> None:
        """Serve again."""
        self._refuses = False

    def freeze(self) -> None:
        """Keep connections open but carry nothing over them, as a cable that was pulled."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Let new connections live; frozen ones stay dead."""
        pairs, self._pairs = self._pairs, []
        self._frozen = pairs
        self._flowing.set()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self._refuses:
                near.close()
                continue
            far = socket.create_connection(self._target)
            self._pairs.append((near, far))
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not self._flowing.is_set():
                    return
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
