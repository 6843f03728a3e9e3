"""Builds the web application of a service, and the one that serves several of them at one port."""

from __future__ import annotations

import html
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import fastapi_swagger
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from services.kernel import consumers, issuer, problems, security
from services.kernel.access_log import AccessLines
from services.kernel.auth import Tokens
from services.kernel.edge import EXPOSED, Edge, problem_for
from services.kernel.limits import Limits
from services.kernel.logs import logger
from services.kernel.remembering import Memory, Remembering
from services.kernel.replies import from_http_exception, respond
from services.kernel.runtime import Runtime
from services.kernel.service import Service
from services.kernel.sessions import Sessions
from services.kernel.straight import GoingStraight

VERSION = "1.0.0"
_SWAGGER = Path(fastapi_swagger.__file__).parent / "resources"

log = logger(__name__)


def create_app(service: Service, runtime: Runtime) -> FastAPI:
    """The application of one service, to be mounted at `/{name}`."""
    app = _routed(service)
    app.state.runtime = runtime
    app.state.issuer = issuer.of(runtime.settings)
    app.state.tokens = Tokens(app.state.issuer)
    app.state.sessions = (
        Sessions(runtime.settings, app.state.issuer, app.state.tokens) if runtime.settings.signs_in else None
    )
    app.state.has_walls = service.has_walls
    app.state.at_the_root = service.at_the_root
    app.state.straight = (runtime, service.straight)
    app.state.memory = None if service.remembered is None else Memory.of(service.remembered, runtime)
    _add_operations(app, service, runtime)
    app.add_exception_handler(problems.Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_failure)
    app.add_middleware(Limits, runtime=runtime, tokens=app.state.tokens)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        expose_headers=EXPOSED,
        # Whoever writes sends a token in a header; a browser never adds one, nor a cookie, by itself.
        allow_headers=[
            *("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "X-Altcha", "X-Api-Key"),
            "traceparent",
        ],
        max_age=86400,
    )
    return app


def describe(service: Service) -> dict[str, Any]:
    """The OpenAPI description of a service; it needs neither settings nor a database."""
    return _routed(service).openapi()


def _routed(service: Service) -> FastAPI:
    app = FastAPI(
        title=service.title,
        description=service.description,
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        servers=[{"url": f"/{service.name}"}],
        generate_unique_id_function=lambda route: f"{service.name}_{route.name}",
        responses=problems.documented(
            problems.BadRequest, problems.Invalid, problems.TooManyRequests, problems.Unavailable
        ),
    )
    if service.name not in _ROUTES:
        before = len(app.router.routes)
        for router in service.routers:
            app.include_router(router)
        _ROUTES[service.name] = app.router.routes[before:]
    else:
        app.router.routes.extend(_ROUTES[service.name])
    _document_problems(app)
    return app


_ROUTES: dict[str, list[BaseRoute]] = {}
"""The routes of each service: whatever runtime answers them, the framework prepares each once in a process."""


def combine(apps: Mapping[str, FastAPI]) -> Remembering:
    """One application for several services, each below its own name."""

    async def nothing_here(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return from_http_exception(request, error)

    mounts = [Mount(f"/{name}", app) for name, app in apps.items()]
    rooted = [Route(path, app) for app in apps.values() for path in app.state.at_the_root]
    together = Starlette(routes=[*mounts, *rooted], exception_handlers={HTTPException: nothing_here})
    together.router.redirect_slashes = False
    memories = {name: app.state.memory for name, app in apps.items() if app.state.memory is not None}
    lines = AccessLines()
    straight = GoingStraight(Edge(together), {name: app.state.straight for name, app in apps.items()}, lines)
    return Remembering(straight, memories, lines)


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, problems.Problem)
    if error.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        # Nothing was done, so it is no entry of the audit, which nobody can fill by trying.
        actor = getattr(request.state, "actor_id", None)
        # Whoever is known and tries what is not theirs is worth a look; a token that ended is not.
        is_known = error.status == HTTPStatus.FORBIDDEN and actor is not None
        tell = log.warning if is_known else log.info
        tell("refused", route=getattr(request.state, "route", None), why=error.slug(), actor=actor and str(actor))
    return respond(request, error)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return respond(request, problems.invalid(error.errors()))


async def _on_failure(request: Request, error: Exception) -> Response:
    return respond(request, problem_for(error))


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = _methods(request)
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": allowed})
        error.headers = {"Allow": allowed}
    return from_http_exception(request, error)


def _methods(request: Request) -> str:
    """Every method of an address; the framework names those of the first route that matches it only."""
    methods = {"OPTIONS"}
    app: FastAPI = request.app
    for candidate in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        scope = {**request.scope, "method": candidate}
        for route in app.router.routes:
            if route.matches(scope)[0].name == "FULL":
                methods |= {candidate} | ({"HEAD"} if candidate == "GET" else set())
    return ", ".join(sorted(methods))


def _add_operations(app: FastAPI, service: Service, runtime: Runtime) -> None:
    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> JSONResponse:
        return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> JSONResponse:
        found = await readiness(service, runtime)
        code = 503 if found["status"] == "unavailable" else 200
        return JSONResponse(found, status_code=code, headers={"Cache-Control": "no-store"})

    @app.get(security.ADDRESS, include_in_schema=False)
    async def security_txt() -> PlainTextResponse:
        text = security.text(runtime.settings, datetime.now(UTC))
        if text is None:
            raise problems.NotFound
        return PlainTextResponse(text, headers={"Cache-Control": "public, max-age=86400"})

    @app.get("/problems/{slug}", include_in_schema=False)
    async def explain_problem(slug: str) -> HTMLResponse:
        for kind in problems.every():
            # Two services may have a problem of one name, each with its own words.
            if kind.slug() == slug and kind.__module__.startswith(("services.kernel.", f"services.{service.name}.")):
                text = f"<h1>{html.escape(kind.title)}</h1><p>Status {kind.status}. {html.escape(kind().detail)}</p>"
                return HTMLResponse(f'<!doctype html><html lang="en"><title>{html.escape(kind.title)}</title>{text}')
        raise problems.NotFound

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        page = _DOCS.format(title=html.escape(service.title), base=f"/{service.name}")
        return HTMLResponse(page, headers={"Content-Security-Policy": _DOCS_POLICY})

    @app.get("/docs/start.js", include_in_schema=False)
    async def docs_start() -> Response:
        script = 'SwaggerUIBundle({url:"openapi.json",dom_id:"#docs",deepLinking:true,validatorUrl:null});'
        return Response(script, media_type="text/javascript")

    app.mount("/docs/assets", StaticFiles(directory=_SWAGGER))


async def readiness(service: Service, runtime: Runtime) -> dict[str, Any]:
    """Whether the service can do its work; without Redis it still does, only later than usual."""
    found: dict[str, Any] = {"status": "ok", "database": "ok", "queue": "ok"}
    try:
        async with runtime.reading() as session:
            found["unread_events"], found["parked_events"] = await consumers.backlog(session, service.consumer)
    except (sa.exc.SQLAlchemyError, OSError, TimeoutError) as error:
        log.warning("not ready", error=type(error).__name__)
        return {"status": "unavailable", "database": "away", "queue": "unknown"}
    try:
        await runtime.redis.ping()
    except (RedisError, OSError, TimeoutError):
        found |= {"status": "degraded", "queue": "away"}
    return found


def _document_problems(app: FastAPI) -> None:
    """Put the problem document into the OpenAPI description instead of the framework's own error shape."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema:
            return app.openapi_schema
        schema = describe()
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        document = problems.ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(document.pop("$defs"))
        schemas["ProblemDocument"] = document
        return schema

    app.openapi = openapi  # type: ignore[method-assign]


_DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_DOCS = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="{base}/docs/assets/swagger-ui.css"></head>
<body><div id="docs"></div><script src="{base}/docs/assets/swagger-ui-bundle.js"></script>
<script src="{base}/docs/start.js"></script></body></html>"""
