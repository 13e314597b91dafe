"""Which network addresses a webhook may call: those of the open internet, unless the settings say otherwise."""

from __future__ import annotations

import ipaddress
import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from assent.domain.errors import Forbidden

_CARRIES_OTHERS = tuple(
    ipaddress.ip_network(each)
    for each in ("2002::/16", "64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96", "fec0::/10")
)
"""Addresses that stand for an IPv4 one, a private one maybe; and those of a site, from before there were others."""


def is_open(address: str) -> bool:
    """Whether an address is one of the open internet."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        elif any(found in network for network in _CARRIES_OTHERS):
            return False
    return found.is_global and not found.is_multicast


def require_open(address: str) -> None:
    """Refuse an address of a private network.

    Raises:
        Forbidden: It is one.
    """
    if not is_open(address):
        raise Forbidden(
            f"{address} is an address of a private network, which webhooks do not call.",
            where="url",
            todo="Use a public address, or set ASSENT_WEBHOOKS_INTERNAL.",
        )


class GuardedResolver(AbstractResolver):
    """Looks names up and refuses those that lead into a private network; what it checked is what is connected to."""

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a name.

        Raises:
            Forbidden: One of them is private.
            OSError: It has none.
        """
        found = await self._resolver.resolve(host, port, family)
        for each in found:
            require_open(each["host"])
        return found

    async def close(self) -> None:
        """Nothing is open."""
        await self._resolver.close()
