"""Refusals as problem details (RFC 9457): JSON with a reason that a person understands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

PROBLEM_TYPE = "application/problem+json"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refusal(Exception):  # noqa: N818 - the answer to a request, not a fault of the program
    """A request is answered with ``status`` and the reason ``detail``; ``more`` are further members of the problem."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers, self.more = status, detail, dict(headers or {}), more

    def response(self) -> web.Response:
        """Return the answer. ``about:blank`` says that the title is the status's own name."""
        title = HTTPStatus(self.status).phrase
        body = {"type": "about:blank", "title": title, "status": self.status, "detail": self.detail, **self.more}
        return web.Response(
            body=orjson.dumps(body), status=self.status, content_type=PROBLEM_TYPE, headers=self.headers
        )


def explained(handler: Handler) -> Handler:
    """Return ``handler`` with its refusals turned into answers."""

    @wraps(handler)
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refusal as refusal:
            return refusal.response()

    return answer
