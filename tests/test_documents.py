"""Documents all the way: trained on, judged, predicted."""

import polars as pl
import pytest

import nervura
from nervura.errors import OptionError, RunError
from nervura.exporting import export

pytestmark = pytest.mark.usefixtures("quick_judgement")

LAW = "court judge law trial witness lawyer crime prison".split()
SEA = "ship wave harbour sailor anchor storm island captain".split()


def texts_of(draw, count):
    """English texts of two subjects, and which."""
    subjects = draw.integers(0, 2, count)
    made = []
    for subject in subjects:
        chosen = draw.choice([LAW, SEA][subject], 12)
        made.append(
            " ".join(f"the {word} was of the {other}" for word, other in zip(chosen[::2], chosen[1::2], strict=True))
        )
    return made, ["law" if subject == 0 else "sea" for subject in subjects]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    import numpy as np

    texts, labels = texts_of(np.random.default_rng(0), 160)
    frame = pl.DataFrame({"note": texts, "label": labels})
    options = {"epochs": 20, "hidden": [8], "learning_rate": 0.01}
    out = tmp_path_factory.mktemp("runs") / "run"
    return nervura.train(frame, "label", network="feed_forward", options=options, out=out), frame


def test_documents_are_learnt_judged_and_predicted(run):
    run, frame = run
    assert run.evaluation["test"]["accuracy"]["value"] == 1.0
    assert run.evaluation["baselines"]["linear"]["accuracy"]["value"] == 1.0
    answers = run.predict(frame.select("note"))
    assert answers["prediction"].to_list() == frame["label"].to_list()
    simple = run.predict(frame.select("note"), use="linear")
    assert simple["prediction"].to_list() == frame["label"].to_list()
    assert run.need("explanation")["importance"][0]["column"] == "note"


def test_what_does_not_read_documents_says_so(run, tmp_path):
    run, frame = run
    with pytest.raises(RunError, match="the document column 'note'. Write --to keras"):
        export(run, "onnx", tmp_path / "onnx")
    with pytest.raises(OptionError, match="takes pictures"):
        nervura.train(frame, "label", network="airbench", out=tmp_path / "run")
