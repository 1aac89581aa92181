"""The provider's process: HashiCorp's go-plugin protocol (version 6) over a unix socket.

The library's own runner stops its server at StopProvider, which kills creates in progress. Here operations in progress
finish after an interrupt. Only Terraform's Shutdown, or its exit, ends the process.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import threading
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
from tf.gen import grpc_controller_pb2 as controller
from tf.gen import grpc_controller_pb2_grpc as controller_rpc
from tf.gen import grpc_stdio_pb2_grpc as stdio_rpc
from tf.gen import tfplugin_pb2_grpc as plugin_rpc
from tf.provider import ProviderServicer

from bot.playground.provider.resources import Playground

_POLL_SECONDS = 0.5
"""How often to check whether Terraform is still running."""


class _Controller(controller_rpc.GRPCControllerServicer):  # type: ignore[misc]
    def __init__(self, ended: threading.Event) -> None:
        self._ended = ended

    def Shutdown(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - the protocol's name
        self._ended.set()
        return controller.Empty()


class _Stdio(stdio_rpc.GRPCStdioServicer):  # type: ignore[misc]
    def StreamStdio(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - the protocol's name
        return iter(())


def serve(identity: Path) -> None:
    """Serve until Terraform sends Shutdown or exits. identity: the TLS file that `install` wrote."""
    parent = os.getppid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ended = threading.Event()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=10))
    plugin_rpc.add_ProviderServicer_to_server(ProviderServicer(Playground()), server)
    controller_rpc.add_GRPCControllerServicer_to_server(_Controller(ended), server)
    stdio_rpc.add_GRPCStdioServicer_to_server(_Stdio(), server)
    tls = json.loads(identity.read_text())
    credentials = grpc.ssl_server_credentials([(tls["key"].encode(), tls["certificate"].encode())])
    with tempfile.TemporaryDirectory(prefix="playground-") as directory:
        socket = f"{directory}/socket"
        server.add_secure_port(f"unix://{socket}", credentials)
        server.start()
        sys.stdout.write(f"1|6|unix|{socket}|grpc|{tls['der']}\n")
        sys.stdout.flush()
        while not ended.wait(_POLL_SECONDS):
            if os.getppid() != parent:
                break
        server.stop(grace=_POLL_SECONDS).wait()
