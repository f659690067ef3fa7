"""A server in processes of its own answers over HTTP as the run does, refuses in one form, drains, and survives."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import polars as pl
import psutil
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nervura
from nervura import evaluation
from nervura.cli import main
from nervura.errors import NervuraError
from nervura.run import Run
from nervura.serving import serve
from nervura.serving_model import Served, Settings

ROW = {"size": 4.5, "colour": "red", "sown": "2024-03-01", "wet": "yes"}
LIMITS = ("--max-rows", "300", "--max-megabytes", "0.05", "--seconds", "2")


def plants(rows: int) -> pl.DataFrame:
    """A table of a number with gaps, a category, a date and a yes or no, beside names that are set aside."""
    draw = np.random.default_rng(0)
    size, colour = draw.normal(5, 2, rows).round(2), draw.choice(["red", "green", "blue"], rows)
    odds = size - 5 + 2 * (colour == "red") + draw.normal(0, 0.7, rows)
    days = np.datetime64("2024-01-01") + draw.integers(0, 300, rows)
    return pl.DataFrame(
        {
            "plant": [f"plant_{row}" for row in range(rows)],
            "size": [None if row % 31 == 5 else value for row, value in enumerate(size.tolist())],
            "colour": colour,
            "sown": days.astype(str),
            "wet": draw.choice(["yes", "no"], rows),
            "bloom": np.where(odds > 1.5, "late", np.where(odds > -0.5, "on time", "early")),
        }
    )


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plants") / "plants.csv"
    plants(240).write_csv(path)
    return path


@pytest.fixture(scope="module")
def run(quick_judgement: None, table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "plants"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "SEEDS", 1)
        patch.setattr(evaluation, "LADDER", evaluation.LADDER[:1])
        made = nervura.train(table, "bloom", network="feed_forward", options={"hidden": [8], "epochs": 3}, out=out)
    made.export("onnx")
    return out


class Server:
    """A server of its own on a free port of this machine; ``log`` gives the lines that it has told so far."""

    def __init__(self, folder: Path, run: Path, *words: str):
        self.out, self.err = folder / "out", folder / "err"
        command = [sys.executable, "-m", "nervura", "serve", str(run), "--port", "0", *words]
        self.client = httpx.Client(timeout=20, limits=httpx.Limits(max_keepalive_connections=0))
        with self.out.open("w") as out, self.err.open("w") as err:
            self.process = subprocess.Popen(command, stdout=out, stderr=err)
        try:
            self.address = self._wait(self._found_address)
            self._wait(self._ready)
        except BaseException:
            self.end()
            raise

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *error: object) -> None:
        assert self.end() == 0

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.client.get(self.address + path, **more)

    def predict(self, body: Any, media: str = "application/json", **headers: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(f"{self.address}/predict", content=content, headers={"content-type": media, **headers})

    def _found_address(self) -> str | None:
        found = re.search(r"running on (http://[\d.]+:\d+)", self.out.read_text())
        return found and found[1]

    def _ready(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return self.get("/ready").status_code == 200
        return False

    def _wait(self, for_what: Any) -> Any:
        for _ in range(300):
            if found := for_what():
                return found
            assert self.process.poll() is None, self.out.read_text() + self.err.read_text()
            time.sleep(0.1)
        raise AssertionError(self.out.read_text() + self.err.read_text())

    def end(self) -> int:
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


@pytest.fixture(scope="module")
def server(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server with narrow limits for all tests that only ask it."""
    with Server(tmp_path_factory.mktemp("server"), run, *LIMITS) as made:
        yield made
    assert "Traceback" not in made.out.read_text() + made.err.read_text()


@pytest.fixture(scope="module")
def answers(run: Path, table: Path) -> pl.DataFrame:
    return nervura.load(run).predict(table)


def shares(answers: list[dict[str, Any]], classes: list[str]) -> np.ndarray:
    return np.array([[one["probabilities"][name] for name in classes] for one in answers])


# --- Answers ---


@pytest.mark.parametrize("form", ["json", "csv", "semicolons", "parquet"])
def test_answers_are_those_of_the_run(server: Server, run: Path, table: Path, answers: pl.DataFrame, form: str) -> None:
    rows = plants(240)
    if form == "json":
        found = server.predict(rows.to_dicts())
    elif form == "parquet":
        file = table.with_suffix(".parquet")
        rows.with_columns(pl.col("sown").str.to_date(), pl.col("wet") == "yes").write_parquet(file)
        found = server.predict(file.read_bytes(), "application/vnd.apache.parquet")
    else:
        text = rows.write_csv(separator=";" if form == "semicolons" else ",")
        found = server.predict(text.encode(), "text/csv; charset=utf-8")
    assert found.status_code == 200, found.text
    told = found.json()
    classes = json.loads((run / "problem.json").read_text())["coding"]["classes"]
    expected = answers.select(f"probability_{name}" for name in classes).to_numpy()
    np.testing.assert_allclose(shares(told["answers"], classes), expected, atol=1e-5)
    assert [one["prediction"] for one in told["answers"]] == answers["prediction"].to_list()
    assert ["|".join(one["set"]) for one in told["answers"]] == answers["prediction_set"].to_list()
    assert told["notes"] == []


def test_one_row_is_answered_like_the_same_row_of_many(server: Server) -> None:
    alone, twice = server.predict(ROW).json(), server.predict([ROW, ROW]).json()
    assert len(alone["answers"]) == 1 and twice["answers"] == alone["answers"] * 2


def test_answers_come_as_csv_where_that_is_asked_for(server: Server, table: Path, answers: pl.DataFrame) -> None:
    found = server.predict(table.read_bytes(), "text/csv", accept="text/csv")
    assert found.headers["content-type"].startswith("text/csv")
    read = pl.read_csv(found.content)
    assert read.columns == answers.columns and read["prediction"].equals(answers["prediction"])


def test_levels_that_were_not_in_training_are_answered_and_told(server: Server) -> None:
    found = server.predict({**ROW, "colour": "purple", "size": None, "plant": "any"}).json()
    assert "'purple'" in found["notes"][0] and found["answers"][0]["prediction"]


# --- What is refused ---


def refused(response: httpx.Response, status: int) -> dict[str, Any]:
    told = response.json()
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json"), told
    assert told["status"] == status and told["title"] and told["detail"]
    assert set(told) <= {"title", "status", "detail", "errors"}
    return told


@pytest.mark.parametrize(
    ("row", "column", "says"),
    [
        ({**ROW, "size": "4.5"}, "size", "given was the text '4.5'. Write a number without quotes"),
        ({**ROW, "size": True}, "size", "holds numbers"),
        ({**ROW, "size": 10**400}, "size", "up to 1e300"),
        ({**ROW, "colour": 3}, "colour", "holds names, as text; given was 3"),
        ({**ROW, "colour": ["red"]}, "colour", "holds names"),
        ({**ROW, "sown": "yesterday"}, "sown", "dates such as 2026-01-31"),
        ({**ROW, "sown": 20240301}, "sown", "dates such as"),
        ({**ROW, "wet": 1}, "wet", 'true or false ("no", "yes"); given was 1'),
        ({**ROW, "seize": 1}, "seize", "There is no column 'seize'. Did you mean 'size'?"),
        ({name: value for name, value in ROW.items() if name != "wet"}, "wet", "'wet' is missing"),
    ],
)
def test_what_is_wrong_in_a_row_is_told(server: Server, row: dict[str, Any], column: str, says: str) -> None:
    told = refused(server.predict([ROW, row]), 422)
    assert [(one["row"], one["column"]) for one in told["errors"]] == [(1, column)]
    assert says in told["errors"][0]["message"] and says in told["detail"]


@pytest.mark.parametrize(
    ("body", "media", "status", "says"),
    [
        (b"{", "application/json", 400, "no JSON"),
        (b"[" * 100_000, "application/json", 413, "0.05 MB"),
        (b"[" * 40_000, "application/json", 400, "nested too deeply"),
        (b'{"size": NaN}', "application/json", 400, "NaN is not JSON"),
        (b'{"size": 1, "colour": "\\ud800"}', "application/json", 400, "no JSON"),
        (b"\xff\xfe", "application/json", 400, "no JSON"),
        (b"3", "application/json", 422, "A row is an object"),
        (b"[]", "application/json", 422, "none was given"),
        (json.dumps([ROW] * 301).encode(), "application/json", 413, "at most 300 rows; given were 301"),
        (b"size,colour\n1,red\n", "text/csv", 422, "'sown' is missing"),
        (b"size,colour,sown,wet\n1,red,2024-01-01\n", "text/csv", 400, "row 0 has 3"),
        (b"size,colour,sown,wet\nx,red,2024-01-01,yes\n", "text/csv", 422, "holds numbers; given was 'x'"),
        (b"size,size,colour,sown,wet\n1,1,red,2024-01-01,yes\n", "text/csv", 422, "there twice"),
        (b"size,colour,sown,wet\n", "text/csv", 422, "none was given"),
        (b"\xff,a\n", "text/csv", 400, "UTF-8"),
        (b"", "text/csv", 422, "is missing"),
        (b"PAR1 no table", "application/x-parquet", 400, "no Parquet"),
        (b"x", "text/plain", 415, "given was text/plain"),
        (b"x", "image/png", 415, "given was image/png"),
        (b"x", "", 415, "no media type"),
    ],
)  # fmt: skip
def test_bodies_that_cannot_be_read_are_refused(
    server: Server, body: bytes, media: str, status: int, says: str
) -> None:
    assert says in refused(server.predict(body, media), status)["detail"]


def test_paths_and_methods_that_there_are_not_are_refused_in_the_same_form(server: Server) -> None:
    assert "/nowhere" in refused(server.get("/nowhere"), 404)["detail"]
    found = server.get("/predict")
    assert "It takes POST" in refused(found, 405)["detail"] and found.headers["allow"] == "POST"
    refused(server.get("/predict/"), 404)
    assert "gzip" in refused(server.predict(b"x", **{"content-encoding": "gzip"}), 415)["detail"]


def test_a_body_that_does_not_arrive_is_not_waited_for(server: Server) -> None:
    host, port = server.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as slow:
        slow.sendall(b"POST /predict HTTP/1.1\r\nHost: here\r\nContent-Type: text/csv\r\nContent-Length: 9\r\n\r\nsi")
        assert slow.recv(1000).startswith(b"HTTP/1.1 408")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.one_of(
        st.binary(max_size=60),
        st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(), st.lists, max_leaves=5),
        st.fixed_dictionaries(
            dict.fromkeys(ROW, st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text())
        ),
    ),
    media=st.sampled_from(
        ["application/json", "text/csv", "application/x-parquet", "multipart/form-data", "image/png"]
    ),
)
def test_nothing_that_is_sent_makes_it_fail(server: Server, body: Any, media: str) -> None:
    found = server.predict(body, media)
    if found.status_code != 200:
        assert 400 <= found.status_code < 500
        refused(found, found.status_code)


def test_it_does_what_its_description_says(server: Server) -> None:
    schema = schemathesis.openapi.from_dict(server.get("/openapi.json").json())
    for path in ("/predict", "/schema", "/"):

        @settings(
            max_examples=25 if path == "/predict" else 2,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=schema[path]["POST" if path == "/predict" else "GET"].as_strategy())
        def follows(case: Any) -> None:
            case.call_and_validate(base_url=server.address)

        follows()


# --- What it tells ---


def test_the_description_is_made_from_the_schema(server: Server) -> None:
    described = server.get("/openapi.json").json()
    row = described["components"]["schemas"]["Row"]
    assert set(row["required"]) == set(ROW) and row["additionalProperties"] is False
    assert set(row["properties"]) == {*ROW, "plant", "bloom"}
    kinds = {name: row["properties"][name]["anyOf"][0] for name in ROW}
    assert kinds["size"]["type"] == "number" and kinds["sown"]["format"] == "date" and kinds["wet"]["type"] == "boolean"
    assert "'red'" in row["properties"]["colour"]["description"]
    example = described["paths"]["/predict"]["post"]["requestBody"]["content"]
    for media in ("application/json", "text/csv"):
        body = example[media]["example"]
        assert server.predict(body if media.endswith("json") else body.encode(), media).status_code == 200
    made = row["examples"][0]
    assert made not in plants(240).select(list(ROW)).to_dicts()
    about = server.get("/schema").json()
    assert about["target"] == "bloom" and about["classes"] == ["early", "late", "on time"]


def test_health_metrics_and_log(server: Server) -> None:
    assert server.get("/health").json() == {"healthy": True} and server.get("/ready").json()["ready"]
    before = counted(server)
    server.predict([ROW] * 3)
    server.get("/nowhere/at/all")
    after = counted(server)
    assert after["nervura_rows_total"] - before["nervura_rows_total"] == 3
    assert after["nervura_request_seconds_count"] > before["nervura_request_seconds_count"]
    assert 'path="other",status="404"' in server.get("/metrics").text
    line = next(one for one in reversed(server.log()) if one.get("path") == "/predict")
    assert line["event"] == "request" and line["status"] == 200 and line["rows"] == 3 and line["milliseconds"] > 0
    assert "2024-03-01" not in json.dumps(line)


def counted(server: Server) -> dict[str, float]:
    lines = [line for line in server.get("/metrics").text.splitlines() if not line.startswith("#")]
    found: dict[str, float] = {}
    for line in lines:
        name = line.split("{")[0]
        found[name] = found.get(name, 0.0) + float(line.rsplit(" ", 1)[1])
    return found


def test_rows_that_have_moved_away_are_told(run: Path, table: Path, tmp_path: Path) -> None:
    with Server(tmp_path, run, "--workers", "2") as server:
        assert {one["status"] for one in server.get("/drift").json()["inputs"]} == {"no rows"}
        rows = plants(240)
        server.predict(rows.to_dicts())
        sheet = server.get("/drift").json()
        assert (sheet["rows"], {one["status"] for one in sheet["inputs"]}) == (240, {"stable"})
        for _ in range(4):
            server.predict(rows.with_columns(pl.col("size") + 6, colour=pl.lit("purple")).to_dicts())
        # Whichever worker is asked tells the sum of both.
        for sheet in (server.get("/drift").json() for _ in range(4)):
            told = {one["column"]: one["status"] for one in sheet["inputs"]}
            assert (sheet["rows"], told["size"], told["colour"], told["sown"]) == (1200, "drifted", "drifted", "stable")
        assert 'nervura_drift_psi{column="size",of="inputs"}' in server.get("/metrics").text


# --- The page ---


def test_the_page_shows_a_form_and_the_answer_with_its_reasons(server: Server) -> None:
    page = server.get("/")
    assert (
        page.headers["content-type"].startswith("text/html")
        and "default-src 'none'" in page.headers["content-security-policy"]
    )
    for name in ROW:
        assert f'name="{name}"' in page.text
    assert page.text.count("<label for=") == len(ROW) and "<script" not in page.text and "http://" not in page.text
    given = {"size": "9.5", "colour": "red", "sown": "2024-03-01", "wet": "true"}
    answer, told = server.get("/", params=given).text, server.predict({**ROW, "size": 9.5}).json()["answers"][0]
    assert f'<p class="said">{told["prediction"]}</p>' in answer and 'value="9.5"' in answer
    for share in told["probabilities"].values():
        assert f"{share:.1%}" in answer
    assert 'id="reasons-title"' in answer and "points" in answer
    wrong = server.get("/", params={**given, "size": "<b>many</b>"})
    assert "holds numbers; given was" in wrong.text and "without quotes" not in wrong.text
    assert wrong.status_code == 422 and 'aria-invalid="true"' in wrong.text and "<b>many" not in wrong.text


def test_work_stops_when_its_time_is_over(run: Path) -> None:
    served, stop = Served(Settings(str(run), str(run / "exports" / "model.onnx"), "", "")), threading.Event()
    assert len(served.answers(served.fields.blank(), stop).predictions) == 1
    stop.set()
    with pytest.raises(TimeoutError):
        served.answers(served.fields.blank(), stop)


def test_reasons_are_what_typical_values_change(run: Path) -> None:
    served = Served(Settings(str(run), str(run / "exports" / "model.onnx"), "", ""))
    columns = {name: [value] for name, value in {**ROW, "size": 9.5, "colour": "blue"}.items()}
    values = served.fields.read(columns, as_text=False)
    answers = served.answers(values)
    reasons = dict(served.reasons(values, answers))
    typical = {name: one[:1].copy() for name, one in values.items()}
    typical["size"][0] = served.fields["size"].typical
    assert served.classes is not None and answers.probabilities is not None
    code = served.classes.index(answers.predictions[0])
    other = served.answers(typical).probabilities
    assert other is not None
    assert reasons["size"] == pytest.approx(answers.probabilities[0, code] - other[0, code])
    commonest = served.fields["colour"].typical
    assert "colour" not in dict(served.reasons({**values, "colour": np.array([commonest], dtype=object)}, answers))


def test_pictures_are_answered_as_by_the_run(pictured: Path, photos: Path, tmp_path: Path) -> None:
    run = nervura.load(pictured)
    if not (pictured / "exports" / "model.onnx").exists():
        run.export("onnx")
    files = [photos / kind / f"{number}.png" for kind in ("lying", "standing") for number in range(3)]
    expected = run.predict(pl.DataFrame({"picture": [file.read_bytes() for file in files]}))
    with Server(tmp_path, pictured) as server:
        sent = [("pictures", (file.name, file.read_bytes(), "image/png")) for file in files]
        told = server.client.post(f"{server.address}/predict", files=sent).json()
        classes = server.get("/schema").json()["classes"]
        np.testing.assert_allclose(
            shares(told["answers"], classes),
            expected.select(f"probability_{name}" for name in classes).to_numpy(),
            atol=1e-5,
        )
        alone = server.predict(files[0].read_bytes(), "image/png").json()
        np.testing.assert_allclose(shares(alone["answers"], classes), shares(told["answers"][:1], classes), atol=1e-5)
        says = refused(server.predict(b"no picture", "image/png"), 422)["detail"]
        assert "cannot be read as one" in says
        refused(server.predict(b"{}"), 415)
        assert server.get("/drift").json()["rows"] == 7
        page = server.client.post(f"{server.address}/", files=sent[:1])
        assert page.status_code == 200 and told["answers"][0]["prediction"] in page.text
        assert 'type="file"' in server.get("/").text


# --- How it ends ---


def workers_of(server: Server) -> dict[int, psutil.Process]:
    found = {}
    for child in psutil.Process(server.process.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it has just died
            if "spawn_main" in " ".join(child.cmdline()):
                found[child.pid] = child
    return found


def test_a_killed_worker_is_replaced_and_what_is_in_hand_is_answered_after_sigterm(run: Path, tmp_path: Path) -> None:
    lost, answered, stop = [], [], threading.Event()
    with Server(tmp_path, run, "--workers", "2", "--abstain-above", "0", "--lang", "pt") as server:

        def ask() -> None:
            while not stop.is_set():
                try:
                    answered.append(server.predict(ROW).json())
                except httpx.TransportError as error:
                    lost.append(error)

        before = workers_of(server)
        assert len(before) == 2
        killed = min(before)
        with ThreadPoolExecutor(3) as pool:
            asking = [pool.submit(ask) for _ in range(3)]
            try:
                until(lambda: len(answered) > 10)
                before[killed].send_signal(signal.SIGKILL)
                until(lambda: len(workers_of(server)) == 2 and killed not in workers_of(server))
                after = len(answered)
                until(lambda: len(answered) > after + 10)
            finally:
                stop.set()
        assert all(one.exception() is None for one in asking)
        assert set(before) - set(workers_of(server)) == {killed}
        # Each of three clients had at most one request in hand.
        assert len(lost) <= 3
        assert all(one["answers"][0]["abstained"] and one["answers"][0]["prediction"] is None for one in answered)
        assert "Preencha" in server.get("/").text

        body = json.dumps(ROW).encode()
        head = f"POST /predict HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        host, port = server.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as slow:
            slow.sendall(head.encode() + body[:10])
            time.sleep(0.3)
            server.process.send_signal(signal.SIGTERM)
            until(lambda: "Shutting down" in server.out.read_text())
            slow.sendall(body[10:])
            assert slow.recv(2000).startswith(b"HTTP/1.1 200")


def until(is_so: Any) -> None:
    for _ in range(600):
        if is_so():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to that within 30 seconds")


# --- What can be served ---


def test_a_packed_run_is_served(run: Path, tmp_path: Path, answers: pl.DataFrame) -> None:
    packed = Run.open(nervura.load(run).pack(tmp_path / "plants.nervura"), networks=False)
    assert (packed.path / "exports" / "model.onnx").exists() and not (packed.path / "model.keras").exists()
    served = Served(Settings(str(packed.path), str(packed.path / "exports" / "model.onnx"), "", ""))
    columns = {name: plants(240)[name].to_list() for name in ROW}
    found = served.answers(served.fields.read(columns, as_text=False))
    assert found.predictions.tolist() == answers["prediction"].to_list() and served.histograms


def test_what_cannot_be_served_is_told(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def says(what: str, *given: Any, **more: Any) -> None:
        with pytest.raises(NervuraError, match=what):
            serve(*given, **more)

    says("does not exist", tmp_path / "none")
    says("no model called 'boost'. Did you mean 'catboost'", run, use="boost")
    says("--workers is 1 or more", run, workers=0)
    says("--seconds is a number above 0", run, seconds=0.0)
    says("A port is a number from 0 to 65535", run, port=70_000)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        says("cannot be had", run, port=taken.getsockname()[1])
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for file in run.glob("*.json"):
        (damaged / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr("nervura.serving.WRITES_ONNX", ("no_such_package",))
    says(r"has no exports/model.onnx.*nervura export .* --to onnx", damaged)
    (damaged / "exports").mkdir()
    (damaged / "exports" / "model.onnx").write_bytes(b"\x08 no graph")
    says("cannot be read as one", damaged, port=0)


def test_weights_that_link_to_other_files_are_refused(run: Path, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load(run / "exports" / "model.onnx")
    weights = next(one for one in model.graph.initializer if one.data_type == onnx.TensorProto.FLOAT)
    (tmp_path / "elsewhere").write_bytes(bytes(10_000))
    weights.ClearField("raw_data")
    weights.data_location = onnx.TensorProto.EXTERNAL
    weights.external_data.add(key="location", value=str(tmp_path / "elsewhere"))
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(NervuraError, match="cannot be read"):
        Served(Settings(str(run), str(tmp_path / "model.onnx"), "", ""))


def test_serving_imports_nothing_that_trains() -> None:
    code = "import nervura.serving, nervura.serving_app, sys; from nervura.bodies import bodies; list(bodies); print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "fastapi" in loaded
    assert not loaded & {"keras", "tensorflow", "jax", "torch", "polars", "pyarrow", "sklearn", "pandas", "matplotlib"}


def test_the_command_line_says_what_is_wrong(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", str(run), "--port", "0", "--max-rows", "0"]) == 2
    assert "--max-rows is 1 or more" in capsys.readouterr().err
    assert main(["serve", str(run), "--abstain-above", "often"]) == 2
    assert "a number is needed" in capsys.readouterr().err
