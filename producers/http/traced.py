"""A request's trace goes on with the records that it brings."""

from __future__ import annotations

from functools import wraps

from aiohttp import web

from producers.http.problems import Handler
from producers.trace import carrying


def traced(handler: Handler) -> Handler:
    """Return ``handler`` with what it sends belonging to the request's trace, or to none."""

    @wraps(handler)
    async def answer(request: web.Request) -> web.StreamResponse:
        with carrying(request.headers.items()):
            return await handler(request)

    return answer
