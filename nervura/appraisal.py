"""Judges a run whose problem does so itself: it compares what the network gives with simpler methods."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import keras
import numpy as np

from nervura import judging, training
from nervura.dataset import Dataset
from nervura.designing import Design, design
from nervura.judging import Candidate
from nervura.predicting import CODING
from nervura.problems.base import Answers, Appraisal, Appraised, Finding, Rival, Trained
from nervura.run import Run, kept_in

MOST_VALUES = 2**27
"""Of the rows of a part so many are answered, spread evenly over them, that the outputs have at most so many values."""

PICTURES = "findings"
"""The file of a run with the pictures of its findings."""


def appraise(
    run: Run,
    dataset: Dataset,
    trained: Design,
    fit_seconds: float,
    *,
    deadline: float | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Lets the problem learn from the trained network's answers and judge them; writes and gives ``evaluation.json``.

    What the problem found beside scores and verdict goes to ``explanation.json``, what it learnt to ``problem.json``
    and ``problem.npz``; the design's problem is then the one that has learnt.

    Args:
        trained: the design whose model is trained.
        fit_seconds: how long that took.
        deadline: the moment (``time.monotonic``) to end by. What no longer fits is left out, and the run says so.
    """
    notes: list[str] = []
    parts = {part: _answers(dataset, trained, part, notes) for part in ("train", "validation", "test")}
    problem = trained.problem
    assert isinstance(problem, Appraised), "another problem is evaluated"
    problem = trained.problem = problem.settle(parts)
    run.update("problem", coding=problem.coding)
    if problem.arrays:
        run.write_arrays("problem", problem.arrays)

    def left() -> float:
        return float("inf") if deadline is None else deadline - time.monotonic()

    beside = _beside(problem, dataset, trained, fit_seconds, left, tell, notes)
    deep = getattr(trained.options, "hidden", []) or getattr(trained.options, "convolutional", "no") == "yes"
    name, kind = trained.network.name, "deep" if deep else "shallow"
    found = problem.appraise(Trained(name, kind, trained.model, parts, fit_seconds, trained.seed, left, tell, beside))
    for rival in found.rivals[1:]:
        if rival.model is not None:
            _keep(run, rival.name, rival.model)
            if rival.coding:
                run.write(f"{kept_in(rival.name)}/{CODING}", rival.coding)
    evaluation = _evaluation(problem, dataset, found, notes)
    run.write("evaluation", evaluation)
    run.write_arrays(PICTURES, found.arrays)
    run.write("explanation", {"findings": [asdict(finding) for finding in found.findings]})
    return evaluation


def _beside(
    problem: Appraised,
    dataset: Dataset,
    trained: Design,
    seconds: float,
    left: Callable[[], float],
    tell: Callable[[str], None],
    notes: list[str],
) -> list[Trained]:
    """The other networks that the problem wants to judge the network by, trained on the same rows; a budget may leave no
    time for them."""
    made = []
    for name in problem.beside:
        if name == trained.network.name:
            continue
        if left() < BESIDE_SECONDS + seconds:
            notes.append(f"{name} did not fit into the time budget.")
            continue
        tell(f"training {name}")
        other = design(dataset.problem, name, dataset.schema, None, trained.seed)
        until = None if left() == float("inf") else time.monotonic() + BESIDE_SHARE * left()
        fit = training.fit(other, dataset.arrays("train"), dataset.arrays("validation"), deadline=until)
        parts = {part: _answers(dataset, other, part, []) for part in ("train", "validation", "test")}
        made.append(Trained(name, "deep", other.model, parts, fit.seconds, other.seed))
    return made


BESIDE_SECONDS, BESIDE_SHARE = 10.0, 0.6
"""Another network is trained where more seconds than these and the first training's are left, and in this share of them."""


def _evaluation(problem: Appraised, dataset: Dataset, found: Appraisal, notes: list[str]) -> dict[str, Any]:
    own = found.rivals[0]
    truth = found.truth or {part: np.zeros(len(getattr(own, part))) for part in ("validation", "test")}
    candidates = [_candidate(rival) for rival in found.rivals]
    scores = {one.name: judging.intervals(problem, truth["test"], one.test) for one in candidates}
    verdict = found.verdict
    if verdict is None:
        verdict = _decide(problem, truth, candidates, found.choosing)
    return {
        "problem": problem.name,
        "metric": problem.metric,
        "rows": {part: dataset.rows(part) for part in ("train", "validation", "test")},
        "test": scores.pop(own.name),
        "baselines": scores,
        "seconds": {one.name: one.seconds for one in candidates},
        "notes": [*notes, *found.notes],
        "verdict": verdict,
    }


def _decide(
    problem: Appraised, truth: dict[str, np.ndarray], candidates: list[Candidate], choosing: np.ndarray | None
) -> dict[str, Any]:
    if choosing is None:
        return judging.decide(problem, truth["validation"], truth["test"], candidates).to_json()
    halves = [
        replace(one, validation=[rows[choosing] for rows in one.test], test=[rows[~choosing] for rows in one.test])
        for one in candidates
    ]
    return judging.decide(problem, truth["test"][choosing], truth["test"][~choosing], halves).to_json()


def _candidate(rival: Rival) -> Candidate:
    return Candidate(rival.name, rival.kind, rival.simplicity, [rival.validation], [rival.test], rival.seconds)


def _keep(run: Run, name: str, model: keras.Model) -> None:
    run.write_folder(kept_in(name), lambda folder: model.save(folder / "model.keras"))


def _answers(dataset: Dataset, trained: Design, part: str, notes: list[str]) -> Answers:
    x, labels, names = dataset.arrays(part)[0], dataset.labels(part), dataset.names(part)
    places, windows, rows = dataset.places(part), dataset.windows_of(part), len(next(iter(x.values())))
    most = max(1, MOST_VALUES // max(1, trained.problem.width))
    if rows > most:
        step = -(-rows // most)
        x = {name: array[::step] for name, array in x.items()}
        labels = None if labels is None else labels.gather_every(step)
        names, places = None if names is None else names[::step], places[::step]
        windows = None if windows is None else windows[::step]
        notes.append(f"Of {rows:,} rows for {part} every {step}th takes part in the judgement.")
    problem, outputs = trained.problem, np.empty((0, trained.problem.width), np.float32)
    if isinstance(problem, Appraised) and part in problem.answered:
        outputs = training.predict(problem.asked(trained.model), x)
    return Answers(x, outputs, labels, names, places, windows)


def findings_of(explanation: dict[str, Any]) -> list[Finding]:
    """The findings that a run's ``explanation.json`` holds; none of a run that is evaluated."""
    return [Finding(**one) for one in explanation.get("findings", [])]
