"""What every request passes: counted and timed, refusals explained (RFC 9457), foreign web pages kept out."""

from __future__ import annotations

import ipaddress
import logging
import time
from http import HTTPMethod, HTTPStatus
from typing import Any

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from yarl import URL

from streams.metrics import HttpMetrics

log = logging.getLogger(__name__)

PROBLEM_TYPE = "application/problem+json"
METHODS = frozenset(HTTPMethod)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "jidoka",
}


def problem(status: int, detail: str, headers: dict[str, str] | None = None, **more: Any) -> web.Response:
    """Return a problem document; ``about:blank`` says that the title is the status's own name."""
    title = HTTPStatus(status).phrase
    body = orjson.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail, **more})
    return web.Response(body=body, status=status, content_type=PROBLEM_TYPE, headers=headers)


def observing(metrics: HttpMetrics) -> Middleware:
    """Return the middleware that counts, times and explains; the outermost one."""

    @web.middleware
    async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.perf_counter()
        response = await _answered(request, handler)
        route = _template(request)
        method = request.method if request.method in METHODS else "other"
        metrics.requests.labels(route, method, str(response.status)).inc()
        if isinstance(response, web.Response):  # a stream lasts as long as its reader likes
            metrics.seconds.labels(route).observe(time.perf_counter() - started)
        return response

    return observe


def _template(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else "none"


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        return _explained(error)
    except ConnectionResetError:
        raise  # the client is gone: there is nobody to answer
    except Exception:
        log.exception("no answer to %s %s", request.method, _template(request))
        return problem(500, "something went wrong here that should not; the log of `jidoka web` says what")


def _explained(error: web.HTTPException) -> web.Response:
    allow = error.headers.get("Allow")
    details = {
        404: "nothing is served at this address; GET / lists what is",
        405: f"this address takes {allow} only",
    }
    said = details.get(error.status, error.text or error.reason)
    return problem(error.status, said, {"Allow": allow} if allow else None)


def guarding(host: str) -> Middleware:
    """Return the middleware that keeps web pages from using a person's browser to reach a loopback service.

    A page may post anywhere (cross-site request forgery) and may give its own name our address (DNS rebinding): the
    first shows in ``Origin``, the second in ``Host``. Programs send no ``Origin``.
    """
    local = is_loopback(host)

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        named = _host_of(f"http://{request.host}")
        if local and not (named == host or is_loopback(named)):
            return problem(421, "this service answers to its loopback address only; a proxy has to send that as Host")
        origin = request.headers.get("Origin")
        if origin is not None and origin.lower() != f"{request.scheme}://{request.host}".lower():
            return problem(403, "requests from other web pages are not taken")
        return await handler(request)

    return guard


def _host_of(url: str) -> str:
    try:
        return URL(url).host or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Return whether a server bound to ``host``, a name or an address, is reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Set the headers that every answer has; a signal handler, so that streams have them too."""
    response.headers.update(HEADERS)
