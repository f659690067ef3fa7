"""The application of one worker of a server: what answers at which path, within which limits, and what is told of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from nervura.bodies import bodies
from nervura.bodies.base import Body
from nervura.messages import text
from nervura.serving_fields import BadRequest
from nervura.serving_model import SETTINGS, Answers, Served, Settings, Tally
from nervura.serving_openapi import described
from nervura.serving_page import Page, render

SMALL = 2**14
"""Bodies of at most so many bytes are answered at once; larger ones in a thread, so that others need not wait."""

written = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
plainly_written = json.JSONEncoder().encode
"""Answers, and lines of the log, as JSON; ``json.dumps`` would make a writer for each."""

Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]


class Metrics:
    """What Prometheus is told, summed over all workers."""

    def __init__(self, tally: Tally):
        import prometheus_client
        from prometheus_client import CollectorRegistry, multiprocess

        self.tally = tally
        own = CollectorRegistry()
        self.requests = prometheus_client.Counter(
            "nervura_requests", "Requests answered.", ["method", "path", "status"], registry=own
        )
        self.seconds = prometheus_client.Histogram(
            "nervura_request_seconds", "Seconds from the first byte of a request to the last of its answer.", ["path"],
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30), registry=own,
        )  # fmt: skip
        rows = prometheus_client.Counter("nervura_rows", "Rows predicted.", ["answer"], registry=own)
        self.given, self.withheld = rows.labels("given"), rows.labels("withheld")
        self.children: dict[Any, Any] = {}
        self.registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(self.registry)  # type: ignore[no-untyped-call]
        self.registry.register(self)  # type: ignore[arg-type]

    def request(self, method: str, path: str, status: int, seconds: float) -> None:
        key = (method, path, status)
        if key not in self.children:
            self.children[key] = (self.requests.labels(method, path, status), self.seconds.labels(path))
        counter, histogram = self.children[key]
        counter.inc()
        histogram.observe(seconds)

    def predicted(self, rows: int, withheld: int) -> None:
        for counter, count in ((self.given, rows - withheld), (self.withheld, withheld)):
            if count:
                counter.inc(count)

    def collect(self) -> Any:
        """The stability of each column, as Prometheus asks for it."""
        from prometheus_client.core import GaugeMetricFamily

        sheet = self.tally.sheet()
        gauge = GaugeMetricFamily(
            "nervura_drift_psi", "Population stability index since the server was started.", labels=["of", "column"]
        )
        for part in ("inputs", "answers"):
            for one in sheet[part]:
                if one["psi"] is not None:
                    gauge.add_metric([part, one["column"]], one["psi"])
        yield gauge

    def written(self) -> bytes:
        from prometheus_client import generate_latest

        return generate_latest(self.registry)


def application() -> Application:
    """The application of one worker, as ``SETTINGS`` in the environment says."""
    settings = Settings(**json.loads(os.environ[SETTINGS]))
    served = Served(settings)
    tally = Tally(served.histograms, Path(settings.folder), settings.since)
    metrics = Metrics(tally)
    return Watched(_routes(settings, served, tally, metrics), metrics)


def _routes(settings: Settings, served: Served, tally: Tally, metrics: Metrics) -> Application:
    fields = served.fields
    forms = [body for body in bodies if body.of_pictures == fields.of_pictures]
    lacking = {body.name: body.missing() for body in forms}
    installed = [body for body in forms if not lacking[body.name]]
    known = ", ".join(body.media[0] for body in installed)
    # Whoever asks for the description is told of what is read here.
    description = described(served.about(), fields, installed)
    say = partial(text, lang=settings.lang)

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)

    def problem(refused: BadRequest, headers: dict[str, str] | None = None) -> Response:
        told = {"title": HTTPStatus(refused.status).phrase, "status": refused.status, "detail": refused.detail}
        if refused.mistakes:
            told["errors"] = refused.mistakes
        return JSONResponse(told, refused.status, headers, media_type="application/problem+json")

    @app.exception_handler(BadRequest)
    async def bad_request(request: Request, refused: BadRequest) -> Response:
        return problem(refused)

    @app.exception_handler(HTTPException)
    async def no_such(request: Request, error: HTTPException) -> Response:
        headers, path = dict(error.headers or {}), request.url.path
        if error.status_code == 405:
            allowed = headers.get("Allow", "")
            detail = say("serve.no_method", path=path, method=request.method, allowed=allowed)
        else:
            detail = say("serve.no_page", path=path) if error.status_code == 404 else str(error.detail)
        return problem(BadRequest(error.status_code, detail), headers)

    @app.exception_handler(ClientDisconnect)
    async def gone(request: Request, error: ClientDisconnect) -> Response:
        return Response(status_code=400)  # nobody reads it

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        return problem(BadRequest(500, say("serve.failed")))

    def too_large() -> BadRequest:
        return BadRequest(413, say("serve.large", most=f"{settings.most_megabytes:g}"))

    async def content_of(request: Request) -> bytes:
        """The body of a request, within the limits of size and time."""
        most = int(settings.most_megabytes * 2**20)
        if given := request.headers.get("content-encoding", ""):
            raise BadRequest(415, say("serve.packed", given=given))
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > most:
            raise too_large()
        parts, size = [], 0
        try:
            async with asyncio.timeout(settings.seconds):
                async for part in request.stream():
                    size += len(part)
                    if size > most:
                        raise too_large()
                    parts.append(part)
        except TimeoutError:
            raise BadRequest(408, say("serve.slow_body", seconds=settings.seconds)) from None
        return b"".join(parts)

    def form_of(content_type: str) -> Body:
        media = content_type.partition(";")[0].strip().lower()
        for body in forms:
            if body.takes(media):
                for package, extra in lacking[body.name]:
                    raise BadRequest(
                        415, say("serve.media_missing", given=media, package=package, extra=extra, known=known)
                    )
                return body
        raise BadRequest(415, say("serve.media", known=known, given=media or say("serve.no_media")))

    async def within_time(work: Callable[[threading.Event], Any]) -> Any:
        """What work in a thread gives; it is told to stop when its time is over."""
        stop = threading.Event()
        going = asyncio.get_running_loop().run_in_executor(None, work, stop)
        done, _ = await asyncio.wait([going], timeout=settings.seconds)
        if done:
            return going.result()
        stop.set()
        going.add_done_callback(lambda late: late.exception())  # nobody waits for it any more
        raise BadRequest(503, say("serve.slow", seconds=settings.seconds))

    def answered(values: dict[str, np.ndarray], stop: threading.Event | None, told: dict[str, Any]) -> Answers:
        answers = served.answers(values, stop)
        told["rows"], told["withheld"] = len(answers.predictions), int(answers.withheld.sum())
        tally.add(fields, values, answers)
        metrics.predicted(told["rows"], told["withheld"])
        return answers

    def answer(
        request: Request, form: Body, content_type: str, content: bytes, stop: threading.Event | None = None
    ) -> Response:
        given = form.read(content, content_type, fields, settings.most_rows)
        values = fields.read(given.columns, given.as_text)
        answers = answered(values, stop, request.scope["told"])
        if "text/csv" in request.headers.get("accept", ""):
            return Response(served.as_csv(answers), media_type="text/csv; charset=utf-8")
        told = {"answers": served.as_json(answers), "notes": fields.new_levels(values)}
        return Response(written(told).encode(), media_type="application/json")

    async def predict(request: Request) -> Response:
        content_type = request.headers.get("content-type", "")
        form = form_of(content_type)
        content = await content_of(request)
        work = partial(answer, request, form, content_type, content)
        if len(content) <= SMALL and not fields.of_pictures:
            return work()
        return await within_time(work)

    # A plain route: what FastAPI would look for in a request is not declared, and takes it a tenth of the time.
    app.add_route("/predict", predict, methods=["POST"])

    def page(values: dict[str, np.ndarray] | None, told: dict[str, Any], stop: threading.Event) -> Response:
        found = Page(settings.lang, served.about(), fields)
        if values is not None:
            answers = answered(values, stop, told)
            found.values, found.answer = values, served.as_json(answers)[0]
            found.reasons = [] if fields.of_pictures else served.reasons(values, answers)
            found.notes = fields.new_levels(values)
        return html(found)

    def html(found: Page, status: int = 200) -> Response:
        return HTMLResponse(render(found), status, {"Content-Security-Policy": PLAIN_PAGE})

    @app.get("/")
    async def form_page(request: Request) -> Response:
        given = request.query_params.multi_items()
        try:
            values = fields.read(fields.of_form(given), as_text=False) if given and not fields.of_pictures else None
        except BadRequest as refused:
            return html(Page(settings.lang, served.about(), fields, refused=refused, given=dict(given)), refused.status)
        return await within_time(partial(page, values, request.scope["told"]))

    async def picture_page(request: Request) -> Response:
        content_type = request.headers.get("content-type", "")
        try:
            form = form_of(content_type)
            given = form.read(await content_of(request), content_type, fields, 1)
            work = partial(fields.read, given.columns, False)
            values = await within_time(lambda stop: work())
        except BadRequest as refused:
            return html(Page(settings.lang, served.about(), fields, refused=refused), refused.status)
        return await within_time(partial(page, values, request.scope["told"]))

    if fields.of_pictures:
        app.post("/")(picture_page)

    @app.get("/health")
    async def health() -> Response:
        return JSONResponse({"healthy": True})

    @app.get("/ready")
    async def ready() -> Response:
        try:
            served.answers(fields.blank())
        except Exception as error:  # whatever ONNX Runtime raises
            return problem(BadRequest(503, say("serve.not_ready", reason=str(error).partition("\n")[0])))
        return JSONResponse({"ready": True, "run": served.name, "model": served.model})

    @app.get("/metrics")
    async def scraped() -> Response:
        return Response(metrics.written(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/schema")
    async def schema() -> Response:
        return JSONResponse(served.about())

    @app.get("/drift")
    async def drift() -> Response:
        return JSONResponse(tally.sheet())

    @app.get("/openapi.json")
    async def openapi() -> Response:
        return JSONResponse(description)

    return app


PLAIN_PAGE = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'"
"""What the page may load: nothing from anywhere."""

PATHS = frozenset(("/", "/predict", "/health", "/ready", "/metrics", "/schema", "/drift", "/openapi.json"))


class Watched:
    """An application whose every request is counted and told in one line of JSON."""

    def __init__(self, app: Application, metrics: Metrics):
        self.app, self.metrics = app, metrics

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        told: dict[str, Any] = {}
        scope["told"] = told
        status = 500

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-content-type-options", b"nosniff")]
            await send(message)

        try:
            await self.app(scope, receive, sent)
        finally:
            seconds = time.perf_counter() - began
            path = scope["path"] if scope["path"] in PATHS else "other"
            # What a client calls a method is its own affair; a label for each would be without end.
            method = scope["method"] if scope["method"] in ("GET", "POST") else "other"
            self.metrics.request(method, path, status, seconds)
            _log(
                event="request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                milliseconds=round(1000 * seconds, 3),
                **told,
            )


def _log(**told: Any) -> None:
    """One line of JSON on standard output; values of rows are never in it."""
    line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "worker": os.getpid(), **told}
    with contextlib.suppress(OSError):  # whoever read the log has gone
        os.write(1, plainly_written(line).encode() + b"\n")


class JsonLines(logging.Handler):
    """What libraries log, as lines of JSON among ours."""

    def emit(self, record: logging.LogRecord) -> None:
        more = {"error": logging.Formatter().formatException(record.exc_info)} if record.exc_info else {}
        _log(event="server", level=record.levelname.lower(), message=record.getMessage(), **more)
