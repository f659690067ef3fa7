"""A packed run answers as the run does, and hostile files are refused before anything in them is used."""

import hashlib
import io
import json
import os
import pickle
import stat
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import polars as pl
import pytest

import nervura
from nervura.cli import main
from nervura.errors import RunError
from nervura.packed import CARD, MANIFEST, unpack
from nervura.packing import pack
from nervura.run import Run

pytest.importorskip("keras")
# Keras's own conversions do not yet follow NumPy 2 with TensorFlow.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

FIRST_FORMAT = Path(__file__).parent / "packed" / "format_1.nervura"
Files = dict[str, bytes]


@pytest.fixture(scope="module")
def packed(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pack(Run.open(trained), tmp_path_factory.mktemp("packed") / "leaves.nervura")


def files_of(packed: Path | bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(packed) if isinstance(packed, bytes) else packed) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def test_a_packed_run_answers_and_tells_as_the_run_does(
    trained: Path, packed: Path, table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, again = nervura.load(trained), nervura.load(packed)
    assert again.packed == packed and again.path.name == "leaves"
    for use in ("network", "linear", "boosting"):
        assert again.predict(table, use=use).equals(run.predict(table, use=use))
    assert again.evaluation == run.evaluation and again.verdict == run.verdict
    assert main(["evaluate", str(packed), str(table)]) == 0
    assert main(["explain", str(packed)]) == 0
    assert main(["compare", str(trained), str(packed)]) == 0
    told = capsys.readouterr().out
    assert "How much worse" in told and told.rstrip().endswith("yes"), "the test rows are the same"
    assert main(["export", str(packed), "--to", "keras", "--out", str(tmp_path / "model.keras")]) == 0
    assert (tmp_path / "model.keras").read_bytes() == (trained / "model.keras").read_bytes()
    assert main(["export", str(packed), "--to", "keras"]) == 2
    assert main(["report", str(packed)]) == 2
    assert capsys.readouterr().err.count("A packed run is not written to") == 2


def test_it_holds_no_rows_and_tells_what_it_is(packed: Path, table: Path) -> None:
    files = files_of(packed)
    whole = b"".join(files.values())
    assert not any(line.encode() in whole for line in table.read_text().splitlines()[1:])
    schema = json.loads(files["schema.json"])
    assert not any(column["examples"] for column in schema["columns"])
    manifest = json.loads(files[MANIFEST])
    assert manifest["format"] == 1 and not manifest["holds_rows"]
    card = files[CARD].decode()
    assert card.startswith("# Model card: trained\n") and "No rows of the data" in card and "## " in card
    for baseline in ("lightgbm", "catboost"):
        assert (baseline in manifest["left_out"]) == (f" {baseline}" in card.partition("It answers rows")[0])


def test_the_same_run_gives_the_same_bytes(trained: Path, packed: Path, tmp_path: Path) -> None:
    assert pack(Run.open(trained), tmp_path / packed.name).read_bytes() == packed.read_bytes()
    with pytest.raises(RunError, match="a new file"):
        pack(Run.open(trained), packed)
    with pytest.raises(RunError, match="packed already"):
        pack(Run.open(packed), tmp_path / "again.nervura")


def test_the_directory_goes_with_the_run(packed: Path) -> None:
    run = Run.open(packed)
    folder = run.path
    assert (folder / "model.keras").exists()
    del run
    assert not folder.parent.exists()


def test_a_file_of_the_first_format_is_read() -> None:
    run = nervura.load(FIRST_FORMAT)
    answers = run.predict(pl.DataFrame({"length": [-2.0, 2.0], "colour": ["red", "green"]}))
    assert answers["prediction"].to_list() == ["no", "yes"]
    assert answers["probability_yes"].to_numpy() == pytest.approx([0.0, 1.0], abs=0.25)
    assert run.verdict and json.loads(files_of(FIRST_FORMAT)[MANIFEST])["format"] == 1


# --- Hostile files ---


def zipped(members: list[tuple[str | zipfile.ZipInfo, bytes]], **how: Any) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", **how) as archive:
        for name, content in members:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("warnings.warn", lambda *told, **more: None)  # of names that are there twice
                archive.writestr(name, content)
    return made.getvalue()


def sealed(files: Files, names: dict[str, str] | None = None) -> list[tuple[str | zipfile.ZipInfo, bytes]]:
    """Files with a manifest that fits them, so that nothing but what is tested is wrong."""
    told = json.loads(files[MANIFEST])
    others = {name: content for name, content in files.items() if name != MANIFEST}
    told["files"] = {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()} for name, content in others.items()
    }
    return [(MANIFEST, json.dumps(told).encode()), *others.items()]


def with_file(name: str, content: bytes) -> Callable[[Files], bytes]:
    return lambda files: zipped(sealed({**files, name: content}))


def with_kind(kind: int) -> Callable[[Files], bytes]:
    """A file called ``evil.json`` that is a link or the like."""

    def made(files: Files) -> bytes:
        info = zipfile.ZipInfo("evil.json")
        info.external_attr = kind << 16
        members = sealed({**files, "evil.json": b"/etc/passwd"})
        return zipped([(info if name == "evil.json" else name, content) for name, content in members])

    return made


def with_manifest(change: Callable[[dict[str, Any]], Any]) -> Callable[[Files], bytes]:
    def made(files: Files) -> bytes:
        told = json.loads(files[MANIFEST])
        changed = change(told)
        content = changed if isinstance(changed, bytes) else json.dumps(told if changed is None else changed).encode()
        return zipped(list({**files, MANIFEST: content}.items()))

    return made


class Canary:
    """Unpickled, it leaves a file."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("executed",)


def npz(**arrays: Any) -> bytes:
    made = io.BytesIO()
    np.savez(made, **arrays)
    return made.getvalue()


def npy(header: bytes, content: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    return zipped([("a.npy", b"\x93NUMPY" + version + len(header).to_bytes(2, "little") + header + content)])


def compressed_arrays() -> bytes:
    made = io.BytesIO()
    np.savez_compressed(made, zeros=np.zeros(10**6))
    return made.getvalue()


def with_network(change: Callable[[Files], Any], **how: Any) -> Callable[[Files], bytes]:
    def made(files: Files) -> bytes:
        parts = files_of(files["model.keras"])
        change(parts)
        return zipped(sealed({**files, "model.keras": zipped(list(parts.items()), **how)}))

    return made


def with_layer(layer: dict[str, Any], deep: bool = False) -> Callable[[Files], bytes]:
    """The network with one more layer, or with one inside the configuration of another."""

    def change(parts: Files) -> None:
        config = json.loads(parts["config.json"])
        layers = config["config"]["layers"]
        layers[-1]["config"]["extra"] = [{"layer": layer}] if deep else None
        if not deep:
            layers.append({"config": {"name": "evil"}, "name": "evil", "inbound_nodes": [], **layer})
        parts["config.json"] = json.dumps(config).encode()

    return with_network(change)


def layer(module: str | None, name: str, registered: str | None = None, /, **config: Any) -> dict[str, Any]:
    return {"module": module, "class_name": name, "registered_name": registered, "config": config}


def with_weights(change: Callable[[h5py.File], Any]) -> Callable[[Files], bytes]:
    def changed(parts: Files) -> None:
        file = io.BytesIO(parts["model.weights.h5"])
        with h5py.File(file, "r+") as weights:
            change(weights)
        parts["model.weights.h5"] = file.getvalue()

    return with_network(changed)


def virtual(weights: h5py.File) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (4,))
    weights.create_virtual_dataset("x", layout)


def overlapping(files: Files) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in sealed(files):
            archive.writestr(name, content)
        for info in archive.filelist[1:]:
            info.header_offset = archive.filelist[0].header_offset
    return made.getvalue()


def bomb(files: Files) -> bytes:
    members = sealed({**files, "zeros.json": b"0" * 10**7})
    return zipped(members, compression=zipfile.ZIP_DEFLATED)


LAMBDA = layer("keras.layers", "Lambda", None, function={"class_name": "__lambda__", "config": {"code": "4wEAAAA="}})
HOSTILE: dict[str, Callable[[Files], bytes]] = {
    "above": with_file("../evil.json", b"{}"),
    "far above": with_file("a/../../../evil.json", b"{}"),
    "above, by backslashes": with_file("..\\evil.json", b"{}"),
    "absolute": with_file("/tmp/evil.json", b"{}"),
    "absolute, two slashes": with_file("//tmp/evil.json", b"{}"),
    "a drive": with_file("C:/evil.json", b"{}"),
    "here": with_file("./run.json", b"{}"),
    "an empty part": with_file("a//evil.json", b"{}"),
    "a line break": with_file("evil\n.json", b"{}"),
    "a zero": with_file("evil\0.json", b"{}"),
    "a space at the end of a folder": with_file("evil /a.json", b"{}"),
    "a dot at the end of a folder": with_file("evil./a.json", b"{}"),
    "a long name": with_file("e" * 300 + ".json", b"{}"),
    "a folder": with_file("evil/", b""),
    "a program": with_file("evil.py", b"raise SystemExit"),
    "a pickle": with_file("evil.pkl", pickle.dumps(Canary())),
    "a library": with_file("evil.so", b"\x7fELF"),
    "a symbolic link": with_kind(stat.S_IFLNK | 0o777),
    "a pipe": with_kind(stat.S_IFIFO | 0o644),
    "a device": with_kind(stat.S_IFCHR | 0o644),
    "the same twice": lambda files: zipped([*sealed(files), ("run.json", b"{}")]),
    "the same in capitals": with_file("RUN.json", b"{}"),
    "compressed": bomb,
    "overlapping": overlapping,
    "cut off": lambda files: zipped(sealed(files))[:-100],
    "a text": lambda files: b"not a zip file",
    "nothing": lambda files: b"",
    "no manifest": lambda files: zipped([(name, one) for name, one in files.items() if name != MANIFEST]),
    "a manifest in no JSON": with_manifest(lambda told: b"{"),
    "a list as manifest": with_manifest(lambda told: [told]),
    "a deep manifest": with_manifest(lambda told: b'{"format": ' + b"[" * 10**5),
    "a later format": with_manifest(lambda told: {**told, "format": 2}),
    "no format": with_manifest(lambda told: {"files": told["files"]}),
    "no files": with_manifest(lambda told: {"format": 1}),
    "no hashes": with_manifest(lambda told: {**told, "files": dict.fromkeys(told["files"], {"bytes": 1})}),
    "another hash": with_manifest(lambda told: told["files"]["run.json"].update(sha256="0" * 64)),
    "another length": with_manifest(lambda told: told["files"]["run.json"].update(bytes=1)),
    "a missing file": with_manifest(lambda told: told["files"].update({"more.json": told["files"]["run.json"]})),
    "an unknown file": with_manifest(lambda told: told["files"].pop("run.json") and None),
    "a changed file": lambda files: zipped(list({**files, "schema.json": b"{}"}.items())),
    "JSON that is none": with_file("run.json", b"{'a': 1}"),
    "JSON without an object": with_file("run.json", b"[]"),
    "JSON without end": with_file("run.json", b'{"a":' + b"[" * 10**5),
    "text that is none": with_file("history.csv", b"\xff\xfe\x00"),
    "an array of objects": with_file("problem.npz", npz(a=np.array([Canary()], dtype=object))),
    "an array in a compressed file": with_file("problem.npz", compressed_arrays()),
    "an array of a lying size": with_file(
        "problem.npz", npy(b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000,)}\n", b"0" * 8)
    ),
    "an array of negative size": with_file(
        "problem.npz", npy(b"{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}\n")
    ),
    "an array whose head is code": with_file("problem.npz", npy(b"__import__('os').mkdir('executed')\n")),
    "an array of another version": with_file("problem.npz", npy(b"{}\n", version=b"\x09\x00")),
    "arrays that are none": with_file("problem.npz", zipped([("a.npy", b"no array")])),
    "arrays in no zip": with_file("problem.npz", pickle.dumps(Canary())),
    "a lambda": with_layer(LAMBDA),
    "a lambda inside a layer": with_layer(LAMBDA, deep=True),
    "a saved model": with_layer(layer("keras.layers", "TFSMLayer", None, filepath="/tmp/evil")),
    "a module of PyTorch": with_layer(layer("keras.layers", "TorchModuleWrapper", None, module="gAR9")),
    "a layer that reads files": with_layer(layer("keras.layers", "TextVectorization", None, vocabulary="/etc/passwd")),
    "a function": with_layer(layer("os", "function", "function", fn="system"), deep=True),
    "a function of Keras": with_layer(layer("keras.utils", "get_file", None, origin="http://example.org"), deep=True),
    "a class of Python": with_layer(layer("subprocess", "Popen", None, args=["mkdir", "executed"])),
    "an unregistered class": with_layer(layer("my_layers", "Mine", "mine>Mine")),
    "a false registration": with_layer(layer("nervura.layers.one_hot", "OneHot", "keras>Lambda")),
    "a module that is none": with_layer(layer("nervura.layers.evil", "Evil", "nervura>Evil")),
    "a registration as another": with_layer(layer("keras.layers", "Dense", "nervura>Evil")),
    "a class without a module": with_layer(layer(None, "Lambda")),
    "a class that is no name": with_layer({**layer("keras.layers", "x"), "class_name": ["Dense"]}),
    "assets of a network": with_network(lambda parts: parts.update({"assets/evil.py": b""})),
    "a network without weights": with_network(lambda parts: parts.pop("model.weights.h5")),
    "a compressed network": with_network(lambda parts: None, compression=zipfile.ZIP_DEFLATED),
    "a network in no zip": with_file("model.keras", pickle.dumps(Canary())),
    "weights that are none": with_network(lambda parts: parts.update({"model.weights.h5": b"no weights"})),
    "weights of another file": with_weights(lambda file: file.__setitem__("x", h5py.ExternalLink("/etc/passwd", "/"))),
    "weights by a soft link": with_weights(lambda file: file.__setitem__("x", h5py.SoftLink("/layers"))),
    "weights outside": with_weights(
        lambda file: file.create_dataset("x", (4,), "f4", external=[("/etc/passwd", 0, 16)])
    ),
    "weights put together": with_weights(virtual),
    "weights in circles": with_weights(lambda file: file.__setitem__("layers/x", file["layers"])),
    "compressed weights": with_weights(lambda file: file.create_dataset("x", (10**6,), "f4", compression="gzip")),
    "weights never written": with_weights(lambda file: file.create_dataset("x", (10**9,), "f4")),
    "weights of texts": with_weights(lambda file: file.create_dataset("x", data=[b"a"], dtype=h5py.string_dtype())),
}  # fmt: skip


@pytest.fixture(scope="module")
def harmless() -> Files:
    return files_of(FIRST_FORMAT)


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_are_refused(case: str, harmless: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, temporary = tmp_path / "here", tmp_path / "temporary"
    here.mkdir(), temporary.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    file = tmp_path / "evil.nervura"
    file.write_bytes(HOSTILE[case](harmless))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RunError, match="is refused: |is neither, or is damaged"):
        Run.open(file)
    assert sorted(tmp_path.rglob("*")) == before, "nothing was written, inside or outside, and nothing was executed"


def test_what_is_harmless_is_not_refused(harmless: Files, tmp_path: Path) -> None:
    file = tmp_path / "again.nervura"
    file.write_bytes(zipped(sealed(harmless)))
    (tmp_path / "run").mkdir()
    unpack(file, tmp_path / "run")
    assert (tmp_path / "run" / "model.keras").read_bytes() == harmless["model.keras"]
