"""Temporal: where it comes from, which version, whether it answers and agrees on the time."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from datetime import timedelta

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, GetSystemInfoRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from assent.domain.errors import Unavailable
from assent.runtime import instance
from assent.runtime.doctor.clock import look_at_server_clock
from assent.runtime.doctor.report import Finding
from assent.runtime.settings import Settings
from assent.runtime.temporal.connect import connect
from assent.runtime.temporal.locate import cache_folder, find

PATIENCE = timedelta(seconds=2)
RPC_TIMEOUT = timedelta(seconds=5)


async def look_at_temporal(settings: Settings) -> list[Finding]:
    """Say which server would be used and whether it answers."""
    configured = settings.temporal_profile().get("target_host")
    local = instance.running(settings.data_dir)
    if configured is None and local is None:
        return [_look_at_executable(settings)]
    source = "as configured" if configured else "started by `assent up`"
    address = configured or (local.temporal_address if local else "")
    try:
        client = await connect(settings, patience=PATIENCE)
    except Unavailable as error:
        return [_wrong(f"{address} ({source}): {error.what}", "Start it, or correct the address.")]
    found = [finding async for finding in _look_inside(client, address, source)]
    return [*found, *await look_at_server_clock(client, settings)]


async def _look_inside(client: Client, address: str, source: str) -> AsyncIterator[Finding]:
    service = client.workflow_service
    try:
        info = await service.get_system_info(GetSystemInfoRequest(), timeout=RPC_TIMEOUT)
        yield Finding(part="Temporal", ok=True, found=f"Server {info.server_version} at {address} ({source}).")
        await service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace), timeout=RPC_TIMEOUT)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            yield _wrong(
                f"It has no namespace {client.namespace!r}.",
                f"Run: temporal operator namespace create -n {client.namespace} --address {address}",
            )
        else:
            yield _wrong(f"It refuses the question: {error.message}.", "Check its credentials in the client profile.")
    else:
        yield Finding(part="Temporal", ok=True, found=f"Namespace {client.namespace!r} is there.")


def _look_at_executable(settings: Settings) -> Finding:
    located = find(settings)
    if located:
        return Finding(part="Temporal", ok=True, found=f"`assent up` would start {located}.")
    go = "with Go from PATH" if shutil.which("go") else "with Go from PyPI"
    return Finding(
        part="Temporal",
        ok=True,
        found=f"None on this machine; `assent up` would download one, or build it {go} into {cache_folder(settings)}.",
    )


def _wrong(found: str, todo: str) -> Finding:
    return Finding(part="Temporal", ok=False, found=found, todo=todo)
