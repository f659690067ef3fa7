"""Small data and runs trained on them, made once for all tests that only look at them, whichever process comes first."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

Once = Callable[[str, Callable[[Path], None]], Path]

QUICK = {"hidden": [8], "epochs": 3}
"""Options of ``feed_forward`` with which a training takes seconds."""


@contextmanager
def brief_rivals(each_depth: bool = False) -> Iterator[None]:
    """What a run is judged beside learns briefly: four passes, ten trees, two seeds; of the networks of growing depth
    there are, unless all are asked for, one without a hidden layer and one with two."""
    from nervura import evaluation
    from nervura.baselines import base

    design, ladder = evaluation.design, evaluation.LADDER if each_depth else evaluation.LADDER[::2]

    def brief(problem: Any, network: Any, schema: Any, options: Any, *more: Any, **how: Any) -> Any:
        return design(problem, network, schema, {"epochs": 4, **options}, *more, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "design", brief)
        patch.setattr(evaluation, "LADDERS", {**evaluation.LADDERS, None: ladder})
        patch.setattr(evaluation, "SEEDS", 2)
        patch.setattr(base, "MOST_TREES", 10)
        yield


@pytest.fixture(scope="module")
def quick_judgement() -> Iterator[None]:
    """For modules whose runs are not about what they are judged beside."""
    with brief_rivals():
        yield


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """A function of a name and of what makes a folder: gives that folder, made by whichever process needs it first.

    The processes of one pytest share it, and with NERVURA_MADE_ONCE, a folder, those of several.
    """
    own = tmp_path_factory.getbasetemp()
    shared = Path(os.environ.get("NERVURA_MADE_ONCE") or (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own))

    def made(name: str, make: Callable[[Path], None]) -> Path:
        with FileLock(shared / f"{name}.lock"):
            if not (shared / name).exists():
                partial = shared / f"{name}.partial"
                shutil.rmtree(partial, ignore_errors=True)
                partial.mkdir()
                make(partial)
                partial.rename(shared / name)
        return shared / name

    return made


@pytest.fixture(scope="session")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of a small MobileNet without its top, as a file: drawn at random, with the statistics of its batch
    normalisation taken from pictures, so that its features tell pictures apart."""
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(0)
    model = keras.applications.MobileNet(include_top=False, weights=None, **BACKBONE, input_shape=(32, 32, 3))
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    pictures = np.random.default_rng(0).uniform(-1, 1, (16, 8, 8, 3)).repeat(4, 1).repeat(4, 2)
    model(pictures.astype("float32"), training=True)
    path = tmp_path_factory.mktemp("backbone") / "small.weights.h5"
    model.save_weights(path)
    return path


BACKBONE = {"alpha": 0.25}
CARRIED_OVER = {"backbone": "MobileNet", **BACKBONE}
"""Options of ``pretrained`` for these weights."""


SMALLER: dict[str, dict[str, Any]] = {
    "residual": {"depth": 8},
    "minirocket": {"features": 420},
    "temporal_convolution": {"filters": [8, 16], "kernels": [5, 3]},
    "attention": {"width": 16, "layers": 1},
    "lstm": {"units": 4, "layers": 2},
    **{name: {"units": 4, "bidirectional": "no"} for name in ("recurrent", "gru")},
    "deep_belief": {"hidden": [8]},
    "captioner": {"width": 4, "units": 8, "embedding": 8, "beam": 2, "naming_epochs": 1},
}
"""Options of networks that would take long in their usual size."""


@pytest.fixture(scope="session")
def carried_over(backbone: Path) -> dict[str, Any]:
    """Options of ``pretrained`` for the walks through the zoo: feature extraction alone, which is compiled in seconds.
    Its own tests go through both phases."""
    return {**CARRIED_OVER, "weights": str(backbone), "frozen_epochs": 100}


@pytest.fixture(scope="session")
def table(once: Once) -> Path:
    """A CSV file of 150 rows: a number, a category, an identifier, a target of yes and no, and a few cells missing."""

    def make(folder: Path) -> None:
        draw = np.random.default_rng(0)
        lines = ["plant,length,colour,healthy"]
        for row in range(150):
            length, colour = draw.normal(), draw.choice(["red", "green", "blue"])
            healthy = "yes" if length + (colour == "green") + 0.5 * draw.normal() > 0.3 else "no"
            lines.append(f"plant_{row},{'' if row % 40 == 7 else f'{length:.4f}'},{colour},{healthy}")
        (folder / "leaves.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    return once("table", make) / "leaves.csv"


@pytest.fixture(scope="session")
def trained(table: Path, once: Once, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a run trained on ``table``. Tests that change it copy it first."""

    def make(folder: Path) -> None:
        import nervura

        with brief_rivals(each_depth=True):
            nervura.train(table, "healthy", network="feed_forward", options=QUICK, out=folder / "trained")

    return shutil.copytree(once("run_of_table", make) / "trained", tmp_path_factory.mktemp("runs") / "trained")


@pytest.fixture(scope="session")
def photos(once: Once) -> Path:
    """A folder of 90 small pictures, one sub-folder a class: a bright bar that lies, stands or slants; one more is broken."""
    image = pytest.importorskip("PIL.Image")

    def make(folder: Path) -> None:
        draw, root = np.random.default_rng(0), folder / "photos"
        for place, kind in enumerate(("lying", "slanting", "standing")):
            (root / kind).mkdir(parents=True)
            for number in range(30):
                pixels = draw.integers(0, 90, (16, 16, 3))
                at = int(draw.integers(3, 13))
                rows, columns = [(at, slice(2, 14)), (np.arange(2, 14), np.arange(2, 14)), (slice(2, 14), at)][place]
                pixels[rows, columns] = draw.integers(180, 255, 3)
                image.fromarray(pixels.astype(np.uint8)).save(root / kind / f"{number}.png")
        (root / "lying" / "broken.jpg").write_bytes(b"no picture")

    return once("pictures", make) / "photos"


@pytest.fixture(scope="session")
def pictured(photos: Path, once: Once, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a run trained on ``photos``. Tests that change it copy it first."""

    def make(folder: Path) -> None:
        import nervura

        with brief_rivals():
            nervura.train(photos, network="convolutional", options=PICTURE_OPTIONS, out=folder / "pictured")

    return shutil.copytree(once("run_of_pictures", make) / "pictured", tmp_path_factory.mktemp("runs") / "pictured")


PICTURE_OPTIONS = {"filters": [8, 16], "dense": [16], "epochs": 12, "learning_rate": 0.01, "precision": "float32"}
