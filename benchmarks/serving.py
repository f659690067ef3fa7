"""Requests per second and latency of ``nervura serve`` beside a bare endpoint of the same ONNX file.

    python benchmarks/serving.py [RUN] [--requests 20000] [--clients 8] [--workers 1] [--rows 1]

The bare endpoint is what one writes by hand in twenty lines: FastAPI, a pydantic model of the row, ONNX Runtime; no log, no
metrics, no limits, no drift. Both run at the same time, with as many workers, and are asked in turns, a block each, by clients
that keep their connections and send the next request when they have the answer; so that a machine that slows down slows both.
One block of each warms up and is not counted. Everything stays on the loopback of this machine. Without RUN a small network
is trained on the breast cancer table and exported.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any

BLOCK = 500
MOST_SECONDS = 420
"""No block begins after so many seconds."""

BARE = """
import json
import numpy as np, onnxruntime
from fastapi import FastAPI
from pydantic import Field, create_model

session = onnxruntime.InferenceSession({file!r})
told = session.get_modelmeta().custom_metadata_map
inputs, classes = json.loads(told["inputs"]), json.loads(told.get("classes", "null"))
TYPES = {{"float64": float | None, "string": str | None, "int64": int | None}}
Row = create_model("Row", **{{f"f{{i}}": (TYPES[one["holds"]], Field(alias=one["column"])) for i, one in enumerate(inputs.values())}})
app = FastAPI()


def array(rows, i, holds):
    values = [getattr(row, f"f{{i}}") for row in rows]
    if holds == "float64":
        return np.array([np.nan if v is None else v for v in values], dtype=np.float64).reshape(-1, 1)
    if holds == "int64":
        return np.array([np.iinfo(np.int64).min if v is None else v for v in values], dtype=np.int64).reshape(-1, 1)
    return np.array(["" if v is None else v for v in values], dtype=object).reshape(-1, 1)


@app.post("/predict")
async def predict(rows: list[Row]):
    feeds = {{name: array(rows, i, one["holds"]) for i, (name, one) in enumerate(inputs.items())}}
    found = dict(zip([o.name for o in session.get_outputs()], session.run(None, feeds)))
    answers = [{{"prediction": value}} for value in found["prediction"].tolist()]
    if classes:
        for answer, shares in zip(answers, found["probabilities"].tolist()):
            answer["probabilities"] = dict(zip(classes, shares))
    return {{"answers": answers}}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", type=Path)
    parser.add_argument("--requests", type=int, default=20_000, help="of each, at most")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rows", type=int, default=1, help="in each request")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = given.run or trained(Path(folder))
        with served(run, given.workers, Path(folder)) as ours, bare(run, given.workers, Path(folder)) as theirs:
            asyncio.run(measured(ours, theirs, given))


def trained(folder: Path) -> Path:
    import nervura

    run = nervura.train("toy:breast_cancer", network="feed_forward", options={"epochs": 10}, out=folder / "run")
    run.export("onnx")
    return run.path


@contextlib.contextmanager
def served(run: Path, workers: int, folder: Path) -> Iterator[int]:
    log = folder / "served.log"
    words = ["-m", "nervura", "serve", str(run), "--port", "0", "--workers", str(workers)]
    with log.open("w") as out, ended(subprocess.Popen([sys.executable, *words], stdout=out)):
        port = waited(lambda: (found := re.search(r"running on http://127.0.0.1:(\d+)", log.read_text())) and found[1])
        waited(lambda: answers(int(port)))
        yield int(port)


@contextlib.contextmanager
def bare(run: Path, workers: int, folder: Path) -> Iterator[int]:
    (folder / "bare.py").write_text(BARE.format(file=str(run.absolute() / "exports" / "model.onnx")))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["-m", "uvicorn", "bare:app", "--port", str(port), "--workers", str(workers)]
    words += ["--no-access-log", "--log-level", "warning"]
    with ended(subprocess.Popen([sys.executable, *words], cwd=folder)):
        waited(lambda: answers(port))
        yield port


@contextlib.contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        process.wait(40)


def waited(for_what: Any) -> Any:
    for _ in range(600):
        if found := for_what():
            return found
        time.sleep(0.1)
    raise SystemExit("a server did not start within a minute")


def answers(port: int) -> bool:
    with contextlib.suppress(OSError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/openapi.json", timeout=5)
        return True
    return False


def bodies(ours: int, rows: int) -> tuple[bytes, bytes]:
    """The same rows for both; the bare endpoint takes moments as milliseconds, and yes and no as the file holds them."""
    with urllib.request.urlopen(f"http://127.0.0.1:{ours}/schema") as answer:
        columns = json.load(answer)["columns"]
    with urllib.request.urlopen(f"http://127.0.0.1:{ours}/openapi.json") as answer:
        row = json.load(answer)["components"]["schemas"]["Row"]["examples"][0]
    plain = dict(row)
    for column in columns:
        if column["kind"] == "datetime":
            plain[column["name"]] = 1_700_000_000_000
        elif column["kind"] == "boolean":
            plain[column["name"]] = None
            row[column["name"]] = None
    return json.dumps([row] * rows).encode(), json.dumps([plain] * rows).encode()


class Client(asyncio.Protocol):
    """One connection that asks again when it has been answered."""

    def __init__(self, request: bytes, left: list[int], seconds: list[float], errors: list[bytes]):
        self.request, self.left, self.seconds, self.errors = request, left, seconds, errors
        self.done = asyncio.get_running_loop().create_future()
        self.buffer = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        if self.left[0] == 0:
            self.transport.close()
            self.done.set_result(None)
            return
        self.left[0] -= 1
        self.began = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(re.search(rb"content-length: (\d+)", head, re.IGNORECASE)[1])  # type: ignore[index]
        if len(body) < length:
            return
        self.seconds.append(time.perf_counter() - self.began)
        if not head.startswith(b"HTTP/1.1 200"):
            self.errors.append(self.buffer)
        self.buffer = b""
        self.ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.errors.append(b"the connection was lost")
            self.done.set_result(None)


async def block(port: int, body: bytes, clients: int, count: int) -> tuple[float, list[float], list[bytes]]:
    """Seconds of a block of requests, of each one, and what went wrong."""
    head = f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    left, seconds, errors = [count], list[float](), list[bytes]()
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    made = [
        await loop.create_connection(lambda: Client(head.encode() + body, left, seconds, errors), "127.0.0.1", port)
        for _ in range(clients)
    ]
    for _, client in made:
        await client.done
    return time.perf_counter() - began, seconds, errors


async def measured(ours: int, theirs: int, given: argparse.Namespace) -> None:
    asked = dict(zip((ours, theirs), bodies(ours, given.rows), strict=True))
    one = {"nervura serve": ours, "bare": theirs}
    rates: dict[str, list[float]] = {name: [] for name in one}
    times: dict[str, list[float]] = {name: [] for name in one}
    alone: dict[str, list[float]] = {name: [] for name in one}
    wrong: dict[str, list[bytes]] = {name: [] for name in one}
    began, turns = time.monotonic(), 0
    for turn in range(1 + -(-given.requests // BLOCK)):
        if time.monotonic() - began > MOST_SECONDS:
            break
        # Who begins changes from turn to turn.
        for name, port in sorted(one.items(), reverse=bool(turn % 2)):
            took, seconds, errors = await block(port, asked[port], given.clients, BLOCK)
            _, single, more = await block(port, asked[port], 1, BLOCK // 5)
            wrong[name] += errors + more
            if turn:
                rates[name].append(len(seconds) / took)
                times[name] += seconds
                alone[name] += single
        turns = turn
    print(
        f"{turns} turns of {BLOCK} requests with {given.rows} rows each, {given.clients} clients, {given.workers} workers\n"
    )
    print("| | requests/s | median, ms | 99 %, ms | alone, median, ms | errors |\n|---|---|---|---|---|---|")
    for name in one:
        late = quantiles(times[name], n=100)[98]
        figures = [1000 * median(times[name]), 1000 * late, 1000 * median(alone[name])]
        shown = " | ".join(f"{figure:.2f}" for figure in figures)
        print(f"| {name} | {median(rates[name]):.0f} | {shown} | {len(wrong[name])} |")
    ratio = median(a / b for a, b in zip(rates["nervura serve"], rates["bare"], strict=True))
    added = 1000 * (median(alone["nervura serve"]) - median(alone["bare"]))
    print(f"\nrequests per second over those of the bare endpoint: {ratio:.2f} (median of the turns)")
    print(f"median latency added to a request that is alone: {added:.2f} ms")
    for name, errors in wrong.items():
        for error in errors[:3]:
            print(f"{name}: {error[:300]!r}")


if __name__ == "__main__":
    main()
