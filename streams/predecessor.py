"""A worker that is started again takes the one before it out of the consumer group, if that one could not do so itself.

Kafka waits for a member that was killed until its session times out (6 s), and meanwhile lets nobody have partitions.
A worker notes in a file the client id by which the group knows it; whoever is started in its place, with the same file,
leaves the group on its behalf. Should the former still live after all, it is fenced like any worker that lost its
partitions.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import DescribeGroupsRequest
from aiokafka.protocol.group import LeaveGroupRequest

log = logging.getLogger(__name__)
LIMIT_S = 5.0


def new_client_id() -> str:
    """Return a client id that no other worker has."""
    return f"jidoka-{uuid.uuid4().hex}"


def replace(note: Path, client_id: str, bootstrap: str, options: Mapping[str, Any], group: str) -> None:
    """Let the member that ``note`` names, if there is one, leave the group; then ``note`` names ``client_id``.

    What cannot be done in ``LIMIT_S`` is left to Kafka's session timeout.
    """
    try:
        former = note.read_text()
    except (OSError, ValueError):
        former = ""
    if former:
        try:
            asyncio.run(asyncio.wait_for(_leave(former, bootstrap, options, group), LIMIT_S))
        except (KafkaError, OSError, TimeoutError) as error:
            log.warning("the worker before this one stays in the group until its session ends: %r", error)
    note.write_text(client_id)


async def _leave(client_id: str, bootstrap: str, options: Mapping[str, Any], group: str) -> None:
    client = AIOKafkaClient(bootstrap_servers=bootstrap, **options)
    await client.bootstrap()
    try:
        node = await client.coordinator_lookup(CoordinationType.GROUP, group)
        await client.ready(node, group=ConnectionGroup.COORDINATION)

        async def ask(request: Any) -> Any:
            return await client.send(node, request, group=ConnectionGroup.COORDINATION)

        (description,) = (await ask(DescribeGroupsRequest([group]))).groups
        for member_id, its_client_id, *_ in description[5]:
            if its_client_id == client_id:
                await ask(LeaveGroupRequest(group, member_id))
                log.info("the worker before this one had no time to leave the group; it has left now")
    finally:
        await client.close()
