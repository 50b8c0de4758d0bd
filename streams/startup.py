"""What every long-running process does first: log in one format, and wait for a broker that is away."""

from __future__ import annotations

import asyncio
import logging
import time

from streams.kafka import client_options, describe_cluster
from streams.settings import Settings

log = logging.getLogger(__name__)
PROBE_LIMIT_S = 5.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 8.0  # between looks for a broker; doubled each time
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


async def wait_for_broker(settings: Settings) -> None:
    """Return once the broker answers; raises ``ConnectionError`` when it has not for ``broker_wait_s``."""
    deadline = time.monotonic() + settings.broker_wait_s
    pause = FIRST_PAUSE_S
    while True:
        try:
            await describe_cluster(settings.broker or "", client_options(settings), PROBE_LIMIT_S)
        except ConnectionError as error:
            if time.monotonic() + pause > deadline:
                raise
            log.warning("%s; trying again in %.1f s", error, pause)
        else:
            return
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_S)
