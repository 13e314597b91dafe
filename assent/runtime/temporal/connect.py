"""Connect to Temporal the way the whole product does: pydantic messages, no compression on this machine."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import time
from datetime import timedelta

from temporalio.client import Client, GrpcCompression
from temporalio.envconfig import ClientConnectConfig
from temporalio.service import RPCError

from assent.domain.errors import Unavailable
from assent.runtime import instance
from assent.runtime.settings import Settings
from assent.runtime.temporal.messages import DATA_CONVERTER

PATIENCE = timedelta(seconds=30)
"""How long a process that starts waits for a Temporal server that is still coming up."""

ATTEMPT_TIMEOUT = timedelta(seconds=5)
"""How long one attempt may take, so that an address that swallows packets is noticed."""

PAUSE_SECONDS = 0.5

log = logging.getLogger(__name__)


def connection(settings: Settings) -> ClientConnectConfig:
    """Say where Temporal is: as configured, else the server of the ``assent up`` that runs on the data folder.

    Raises:
        Unavailable: Neither is there.
    """
    config = settings.temporal_profile()
    if "target_host" in config:
        return config
    local = instance.running(settings.data_dir)
    if local is None:
        raise Unavailable(
            "No Temporal server is configured, and none runs for this data folder.",
            where=str(settings.data_dir),
            todo="Start one with `assent up`, or set ASSENT_TEMPORAL_ADDRESS.",
        )
    config["target_host"] = local.temporal_address
    return config


async def connect(settings: Settings, *, patience: timedelta = PATIENCE) -> Client:
    """Connect to the Temporal server of ``settings``, trying again for ``patience``.

    Raises:
        Unavailable: No server is configured, or it did not answer in time.
    """
    config = connection(settings)
    deadline = time.monotonic() + patience.total_seconds()
    told = False
    while True:
        try:
            return await asyncio.wait_for(_attempt(config), ATTEMPT_TIMEOUT.total_seconds())
        except (RuntimeError, RPCError, TimeoutError) as error:
            log.debug("Attempt to connect failed: %s", error)
            if time.monotonic() >= deadline:
                raise Unavailable(
                    f"The Temporal server did not answer for {patience.total_seconds():.0f} seconds.",
                    where=config["target_host"],
                    todo="Check that it runs and that the address is right (`assent doctor` tells more).",
                ) from error
            if not told:
                log.warning("Waiting for the Temporal server at %s", config["target_host"])
                told = True
        await asyncio.sleep(PAUSE_SECONDS)


async def _attempt(config: ClientConnectConfig) -> Client:
    near = is_loopback(config["target_host"])
    return await Client.connect(
        **config,
        data_converter=DATA_CONVERTER,
        grpc_compression=GrpcCompression.NONE if near else GrpcCompression.GZIP,
    )


def is_loopback(address: str) -> bool:
    """Whether ``host:port`` is this machine; there, compressing costs more than it saves."""
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
