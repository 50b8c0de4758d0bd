"""``demo``: a line of its own in a temporary folder, the bundled failures through it, and a live view."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.live import Live

from streams.cli.console import UserError, as_user_error, load_settings, out, run_async
from streams.cli.demo_view import Progress, save_picture, summary, view
from streams.cli.supervise import interruptible, line_errors
from streams.cli.supervise import progress as say

if TYPE_CHECKING:
    from models.records import CompilerErrors
    from streams.settings import Settings

SECURITY = ("security_protocol", "sasl_mechanism", "sasl_username", "sasl_password")
CLUSTER = (*SECURITY, "broker", "ssl_cafile", "ssl_certfile", "ssl_keyfile", "http_host", "token", "ops_port", "app_id")
REPLAY_S = 20.0  # the bundled failures are spread over this time, so that a person can follow
REFRESHES_PER_S = 4
ANSWER_LIMIT_S = 60.0


def run_demo(data_dir: str | None, limit: int | None, screenshot: Path | None) -> None:
    """Run the demo; everything it started is stopped, and its temporary folder removed, on the way out."""
    from aiohttp import ClientError

    from producers.demo import failures
    from producers.sender import SenderError
    from streams.supervisor import Supervisor

    records = list(failures())[:limit]
    with contextlib.ExitStack() as stack:
        stack.callback(say, "All that was started is stopped")
        folder = data_dir or stack.enter_context(tempfile.TemporaryDirectory(prefix="jidoka-demo-"))
        # The bundled model was trained on these very failures: here it starts from nothing, or the scores would lie.
        settings = on_its_own(load_settings(data_dir=str(Path(folder)), warm_start=False))
        stack.enter_context(line_errors())
        stack.enter_context(interruptible())
        line = stack.enter_context(Supervisor(settings, 1, say, web=False))
        progress = Progress(total=len(records))
        with as_user_error(SenderError, ClientError):
            run_async(_replay(line.settings, records, progress, line.children[0].url() or ""))
        out.print()
        out.print(summary(progress))
        if screenshot:
            save_picture(progress, screenshot)
        say("Stopping")


def on_its_own(settings: Settings) -> Settings:
    """Return the settings without the cluster they may name: a demo must not teach a line that people rely on."""
    return settings.model_copy(update={name: type(settings).model_fields[name].get_default() for name in CLUSTER})


async def _replay(settings: Settings, records: list[CompilerErrors], progress: Progress, worker: str) -> None:
    from models.records import Prediction
    from streams.follow import Follower

    async with Follower(settings, Prediction) as follower:
        started = time.monotonic()
        with Live(view(progress), console=out, refresh_per_second=REFRESHES_PER_S) as live:
            tasks = [
                asyncio.create_task(_push(settings, records, progress)),
                asyncio.create_task(_watch(worker, progress)),
            ]
            try:
                async with asyncio.timeout(REPLAY_S + ANSWER_LIMIT_S):
                    async for prediction in follower.forever():
                        progress.add(prediction)
                        progress.seconds = time.monotonic() - started
                        live.update(view(progress))
                        if progress.answered == progress.total:
                            break
            except TimeoutError:
                missing = progress.total - progress.answered
                raise UserError(
                    f"{missing} failures were not answered in time; see {settings.data_dir / 'logs'}"
                ) from None
            finally:
                await _finish(tasks)
            progress.state = await _state(worker)
            live.update(view(progress))


async def _finish(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception):
            raise result


async def _push(settings: Settings, records: list[CompilerErrors], progress: Progress) -> None:
    from producers.sender import Sender
    from streams.kafka import client_options

    pause = REPLAY_S / len(records)
    async with Sender(settings.broker or "", client_options(settings), "/jidoka/demo") as sender:
        for record in records:
            await sender.send(record)
            progress.sent += 1
            await asyncio.sleep(pause)


async def _watch(worker: str, progress: Progress) -> None:
    while True:
        progress.state = await _state(worker)
        await asyncio.sleep(1 / REFRESHES_PER_S)


async def _state(worker: str) -> dict[str, Any]:
    """Return what the worker says of the partition that has seen most."""
    import aiohttp

    async with aiohttp.ClientSession() as session, session.get(f"{worker}/v1/state") as response:
        partitions: list[dict[str, Any]] = (await response.json())["partitions"]
    return max(partitions, key=lambda one: int(one["scored"]), default={})
