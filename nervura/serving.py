"""Serves a run over HTTP: FastAPI before ONNX Runtime, without Keras and without Polars."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nervura.errors import MissingDependency, OptionError, RunError, did_you_mean
from nervura.messages import language_index
from nervura.run import Run, in_file_names
from nervura.serving_model import SETTINGS, Served, Settings

REQUIRES = ("fastapi", "uvicorn", "onnxruntime", "prometheus_client", "python_multipart", "jinja2")
WRITES_ONNX = ("tensorflow", "keras", "onnx", "tf2onnx")

DRAINING = 30
"""Requests in hand when the server is told to end have so many seconds."""

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"lines": {"()": "nervura.serving_app.JsonLines"}},
    "loggers": {"uvicorn": {"handlers": ["lines"], "level": "INFO", "propagate": False}},
}


def serve(
    path: str | Path,
    *,
    use: str = "network",
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 1,
    lang: str = "en",
    **limits: Any,
) -> None:
    """Serves a run, a directory or a packed file, until it is told to end by SIGTERM or SIGINT.

    What runs as an ONNX file in the run is served; where it is missing it is made, if what makes it is installed.

    Args:
        use: which of the run's models, as for ``predicting.predict``.
        port: 0 takes a free one; the log says which.
        workers: processes that answer. Two or more are watched over: one that dies is replaced.
        lang: of the page and of messages.
        limits: ``abstain_above``, ``most_megabytes``, ``most_rows`` and ``seconds``, as in ``Settings``.

    Raises:
        RunError: there is no run, or none that can be served.
        OptionError: there is no such model, the address cannot be had, or a limit makes no sense.
        MissingDependency: the extra ``serve`` is not installed.
    """
    for package in REQUIRES:
        if find_spec(package) is None:
            raise MissingDependency("Serving a run", package, "serve")
    language_index(lang)
    _check_limits(workers=workers, **limits)
    run = Run.open(path, networks=False)
    _check_address(host, port)
    with tempfile.TemporaryDirectory(prefix="nervura-") as folder:
        file = _onnx_file(run, path, use, Path(folder))
        since = datetime.now(UTC).isoformat(timespec="seconds")
        settings = Settings(str(run.path), str(file), folder, since, lang, workers, **limits)
        Served(settings)  # says what is wrong before workers fail at it
        os.environ[SETTINGS] = json.dumps(asdict(settings))
        metrics = Path(folder) / "metrics"
        metrics.mkdir()
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics)
        # The server drains and then raises the signal again; this process has more to do than to die of it.
        signal.signal(signal.SIGTERM, lambda *of_signal: None)
        import uvicorn

        uvicorn.run(
            "nervura.serving_app:application",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            access_log=False,
            log_config=LOGGING,
            server_header=False,
            timeout_graceful_shutdown=DRAINING,
            ws="none",
        )


def _check_limits(
    workers: int,
    abstain_above: float | None = None,
    most_megabytes: float = 1.0,
    most_rows: int = 1,
    seconds: float = 1.0,
) -> None:
    for name, value, least in (("workers", workers, 1), ("max-rows", most_rows, 1)):
        if value < least:
            raise OptionError(f"--{name} is {least} or more; given was {value}.")
    for name, size in (("max-megabytes", most_megabytes), ("seconds", seconds)):
        if not 0 < size < float("inf"):
            raise OptionError(f"--{name} is a number above 0; given was {size}.")
    if abstain_above is not None and not abstain_above >= 0:
        raise OptionError(f"--abstain-above is a number from 0 on; given was {abstain_above}.")


def _check_address(host: str, port: int) -> None:
    """The address can be had; a server that binds it itself would end without a word for people."""
    if not 0 <= port < 2**16:
        raise OptionError(f"A port is a number from 0 to 65535; given was {port}. Write --port 8000.")
    try:
        kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(kind) as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(address)
    except OSError as error:
        raise OptionError(
            f"The address {host}:{port} cannot be had ({error.strerror or error}). Write --port with another, or 0 for a free "
            "one, and --host with an address of this machine."
        ) from error


def _onnx_file(run: Run, given: str | Path, use: str, folder: Path) -> Path:
    """The ONNX file of a run's model, made in ``folder`` where there is none yet."""
    name = _model_name(run, use)
    own = run.need("design")["network"]
    stem = "model" if name == own else in_file_names(name)
    file = run.path / "exports" / f"{stem}.onnx"
    if file.exists():
        return file
    more = "" if name == own else f" --use {name}"
    command = f"nervura export {given} --to onnx{more}"
    if run.packed is not None:
        command += f" --out {stem}.onnx"
    lacking = [package for package in WRITES_ONNX if find_spec(package) is None]
    if lacking:
        where = "its directory where it was trained, and pack it again" if run.packed is not None else str(run.path)
        raise RunError(
            f"What is served is the run's ONNX file; '{given}' has no exports/{stem}.onnx, and '{lacking[0]}', which writes "
            f"it, is not installed here. Write, where nervura[onnx] is installed: nervura export {where} --to onnx{more}"
            if run.packed is None
            else f"What is served is the run's ONNX file; '{given}' was packed without one. In {where}: "
            f"nervura export RUN --to onnx{more}, then nervura pack RUN"
        )
    made = folder / f"{stem}.onnx"
    words = [sys.executable, "-m", "nervura", "export", str(given), "--to", "onnx", "--use", name, "--out", str(made)]
    # In a process of its own: the server is to hold no TensorFlow.
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = done.stderr.strip().rpartition("nervura: ")[2] or "it ended without a word"
        raise RunError(f"What is served is the run's ONNX file, which cannot be written: {reason}")
    print(f"Made for this server alone; to keep it: {command}", file=sys.stderr)
    return made


def _model_name(run: Run, use: str) -> str:
    own = run.need("design")["network"]
    if use in ("best", "simplest"):
        return run.need("evaluation")["verdict"][use]
    if use == "network":
        return own
    models = run.path / "baselines"
    kept = sorted(one.name for one in models.iterdir() if one.is_dir()) if models.exists() else []
    if use not in (own, *kept):
        known = ["network", "best", "simplest", own, *kept]
        raise OptionError(f"The run '{run.path}' has no model called '{use}'. {did_you_mean(use, known)}")
    return use
