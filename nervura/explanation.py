"""Looks into a trained run: which columns or moments its predictions rest on, and of pictures where it is right and wrong."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import numpy as np

from nervura import attributing, plots, seeing
from nervura.dataset import Dataset
from nervura.designing import Design
from nervura.encoding import PICTURES, SERIES, TERMS, TOKENS, image_column, medium, origins, text_encoding
from nervura.problems.base import Finding
from nervura.run import Run
from nervura.training import predict, predictor

MOST_ROWS = 2_000
REPEATS = 5
MOST_COLUMNS = 200
CELLS = 400_000
"""Rows x columns x repeats that are predicted at most, so that explaining takes seconds; rows are left out for it."""


def explain(run: Run, dataset: Dataset, trained: Design, *, deadline: float | None = None) -> dict[str, Any]:
    """Permutation importance on the test rows, of series of their segments, or a gallery of test pictures; writes and gives
    ``explanation.json``.

    A column matters as much as the deciding metric gets worse when its values are dealt out anew among the rows.
    Source: L. Breiman, Random Forests (2001); here all features made from a column move together.

    Args:
        deadline: the moment (``time.monotonic``) to end by; columns not reached by then are left out and counted.
    """
    problem, schema = trained.problem, dataset.schema
    if image_column(schema) is not None:
        return _gallery(run, dataset, trained, deadline)
    if medium(schema) == SERIES:
        return _moments(run, dataset, trained, deadline)
    read = next((tensor.name for tensor in trained.tensors if tensor.name in (TERMS, TOKENS)), None)
    if read is not None:
        return _words(run, dataset, trained, read, deadline)
    names = [column.name for column in schema.inputs][:MOST_COLUMNS]
    rows = max(100, min(MOST_ROWS, CELLS // (REPEATS * len(names))))
    x, y = dataset.arrays("test")
    step = max(1, -(-len(y) // rows))
    x, truth = {name: array[::step] for name, array in x.items()}, dataset.truth("test")[::step]
    if problem.supervised_by == "classifier":
        known = truth >= 0
        x, truth = {name: array[known] for name, array in x.items()}, truth[known]
    outputs = predictor(trained.model, batch_size=MOST_ROWS)

    def loss(inputs: dict[str, np.ndarray]) -> float:
        return float(problem.loss(truth, problem.estimates(outputs(inputs)))[0])

    whole, made_from = loss(x), origins(schema)
    importance: list[dict[str, Any]] = []
    for i, name in enumerate(names):
        if deadline is not None and time.monotonic() > deadline:
            break
        draws = np.random.default_rng([run_seed(run), i])
        losses = [loss(_dealt_anew(x, made_from, name, draws)) - whole for _ in range(REPEATS)]
        importance.append({"column": name, "value": float(np.mean(losses)), "low": min(losses), "high": max(losses)})
    importance.sort(key=lambda row: row["value"], reverse=True)
    explanation = {
        "metric": problem.metric,
        "rows": len(truth),
        "repeats": REPEATS,
        "left_out": len(schema.inputs) - len(importance),
        "importance": importance,
    }
    run.write("explanation", explanation)
    return explanation


def _moments(run: Run, dataset: Dataset, trained: Design, deadline: float | None) -> dict[str, Any]:
    """Which moments of series matter: of all test rows together, and of a few that are shown."""
    problem, truth = trained.problem, dataset.truth("test")
    series = dataset.arrays("test")[0][SERIES]
    classes = problem.supervised_by == "classifier"
    outputs = predictor(trained.model, batch_size=64)

    def answer(rows: np.ndarray) -> np.ndarray:
        return problem.estimates(outputs({SERIES: rows}))

    step = max(1, -(-len(truth) // attributing.MOST_ROWS))
    some, own = series[::step], truth[::step]
    known = own >= 0 if classes else np.ones(len(own), bool)
    found = attributing.importance(
        some[known], lambda rows: float(problem.loss(own[known], answer(rows))[0]), run_seed(run), deadline
    )
    metric = problem.metric
    findings = [
        Finding(
            ("Which moments matter", "Que momentos importam"),
            (
                f"How much worse {metric} gets when the values of a segment are dealt out anew among {int(known.sum())} test "
                "rows. What its neighbours tell too counts for neither.",
                f"Quanto piora {metric} quando os valores de um segmento são redistribuídos ao acaso entre {int(known.sum())} "
                "linhas de teste. O que os vizinhos também dizem não conta para nenhum.",
            ),
            [("Moments", "Momentos"), ("Importance", "Importância"), ("Lowest", "Mínimo"), ("Highest", "Máximo")],
            [[f"{one['from']}–{one['to']}", one["value"], one["low"], one["high"]] for one in found],
        )
    ]
    if deadline is None or time.monotonic() < deadline:
        estimates = answer(some)
        shown = _shown(problem, own, estimates)
        named = problem.named(estimates[shown])
        names = [str(name) for name in problem.coding.get("classes", [])]
        heats = np.stack(
            [
                attributing.hidden_windows(some[row], answer, int(named[i]) if classes else 0)
                for i, row in enumerate(shown)
            ]
        )
        titles = [
            f"{names[named[i]]} ({estimates[row].max():.2f}); {names[own[row]]}"
            if classes
            else f"{estimates[row]:.4g}; {own[row]:.4g}"
            for i, row in enumerate(shown)
        ]
        run.write_arrays("findings", {"heated": plots.heated_series(some[shown], heats, titles)})
        findings.append(
            Finding(
                ("Where answers come from", "De onde vêm as respostas"),
                (
                    "Test series, in units of their spread; above each the answer and then the truth. The ground is warm where "
                    "the answer's probability falls when the moments there are replaced by a straight line"
                    + (
                        ", each series by its own largest fall."
                        if classes
                        else " (of values: where the answer changes)."
                    ),
                    "Séries de teste, em unidades da sua dispersão; por cima de cada uma a resposta e depois a verdade. O fundo é "
                    "quente onde a probabilidade da resposta cai quando os momentos são substituídos por uma linha reta"
                    + (", cada série pela sua maior queda." if classes else " (de valores: onde a resposta muda)."),
                ),
                picture="heated",
            )
        )
    explanation = {"metric": metric, "rows": int(known.sum()), "moments": found}
    explanation["findings"] = [asdict(finding) for finding in findings]
    run.write("explanation", explanation)
    return explanation


TEXTS_SEEN, WORDS_SHOWN, TEXTS_SHOWN = 60, 10, 8


def _words(run: Run, dataset: Dataset, trained: Design, read: str, deadline: float | None) -> dict[str, Any]:
    """Which words matter: what each answer rests on in some test texts together, and in a few of them."""
    problem, truth, told = trained.problem, dataset.truth("test"), text_encoding(dataset.schema) or {}
    x = dataset.arrays("test")[0][read]
    classes = problem.supervised_by == "classifier"
    names = [str(name) for name in problem.coding.get("classes", [])]
    outputs = predictor(trained.model, batch_size=256)

    def answer(rows: np.ndarray) -> np.ndarray:
        return problem.estimates(outputs({read: rows}))

    step = max(1, -(-len(x) // TEXTS_SEEN))
    some, own = x[::step], truth[::step]
    estimates = answer(some)
    named = problem.named(estimates)
    together: dict[Any, dict[str, float]] = {}
    of_texts: list[list[Any]] = []
    for row, text in enumerate(some):
        if deadline is not None and time.monotonic() > deadline:
            break
        effects = attributing.hidden_words(text, answer, int(named[row]) if classes else 0, told)
        kind = names[named[row]] if classes else ""
        for word, effect in effects.items():
            sums = together.setdefault(kind, {})
            sums[word] = sums.get(word, 0.0) + effect
        if len(of_texts) < TEXTS_SHOWN and effects:
            most = sorted(effects, key=lambda word: -abs(effects[word]))[:WORDS_SHOWN]
            shown = ", ".join(f"{word} ({effects[word]:+.2g})" for word in most)
            answered, true = (
                (f"{kind} ({estimates[row].max():.2f})", names[own[row]] if own[row] >= 0 else "")
                if classes
                else (f"{estimates[row]:.4g}", f"{own[row]:.4g}")
            )
            of_texts.append([answered, true, shown])
    rows = [
        [kind, ", ".join(sorted(sums, key=lambda word: -sums[word])[:WORDS_SHOWN])]
        for kind, sums in sorted(together.items())
    ]
    if not classes:
        sums = together.get("", {})
        order = sorted(sums, key=lambda word: -sums[word])
        rows = [
            [("raise", "sobem"), ", ".join(order[:WORDS_SHOWN])],
            [("lower", "descem"), ", ".join(order[::-1][:WORDS_SHOWN])],
        ]
    seen = len(some)
    findings = [
        Finding(
            ("Which words matter", "Que palavras importam"),
            (
                f"The words whose hiding lowers the answer's probability most, over {seen} test texts."
                if classes
                else f"The words whose hiding changes the value most, over {seen} test texts.",
                f"As palavras que, escondidas, mais baixam a probabilidade da resposta, em {seen} textos de teste."
                if classes
                else f"As palavras que, escondidas, mais mudam o valor, em {seen} textos de teste.",
            ),
            [("Answer", "Resposta") if classes else ("They", "Elas"), ("Words", "Palavras")],
            rows[:50],
        ),
        Finding(
            ("Where answers come from", "De onde vêm as respostas"),
            (
                "Some test texts: the answer, the truth, and by how much the answer falls when a word is hidden.",
                "Alguns textos de teste: a resposta, a verdade e quanto a resposta desce quando se esconde uma palavra.",
            ),
            [("Answer", "Resposta"), ("Truth", "Verdade"), ("Words", "Palavras")],
            of_texts,
        ),
    ]
    explanation = {"metric": problem.metric, "rows": seen, "findings": [asdict(finding) for finding in findings]}
    run.write("explanation", explanation)
    return explanation


SERIES_SHOWN = 6


def _shown(problem: Any, truth: np.ndarray, estimates: np.ndarray) -> np.ndarray:
    """Rows to show: of classes right answers of different classes and then the surest mistakes; of values some of all sizes."""
    if problem.supervised_by != "classifier":
        return np.argsort(truth, kind="stable")[
            np.linspace(0, len(truth) - 1, min(len(truth), SERIES_SHOWN)).astype(int)
        ]
    named, sure = problem.named(estimates), estimates.max(1)
    right = [
        int(rows[0])
        for code in np.unique(truth[truth >= 0])
        if len(rows := np.flatnonzero((truth == code) & (named == code)))
    ]
    wrong = np.flatnonzero((named != truth) & (truth >= 0))
    wrong = wrong[np.argsort(-sure[wrong], kind="stable")]
    few = right[: SERIES_SHOWN - min(2, len(wrong))]
    return np.array([*few, *wrong[: SERIES_SHOWN - len(few)]], dtype=int)


def _gallery(run: Run, dataset: Dataset, trained: Design, deadline: float | None) -> dict[str, Any]:
    """Test pictures of each class, and those whose answers are most wrong: named in the explanation, shown in gallery.npz.

    A mistake is the more certain, the more probable the wrong class was held; of values, the farther they are off.
    """
    problem, model = trained.problem, trained.model
    x, truth = dataset.arrays("test")[0], dataset.truth("test")
    estimates = problem.estimates(predict(model, x))
    gallery: dict[str, Any] = {"rows": len(truth), "examples": [], "mistakes": []}
    chosen: list[int] = []
    names = dataset.names("test")

    def shown(row: int) -> dict[str, Any]:
        chosen.append(row)
        return {"picture": len(chosen) - 1, "name": None if names is None else names[row]}

    if problem.supervised_by == "classifier":
        classes = [str(name) for name in problem.coding["classes"]]
        answers, sure = problem.named(estimates), estimates.max(1)
        for code in range(min(MOST_CLASSES, len(classes))):
            own = np.flatnonzero(truth == code)[:EXAMPLES]
            if len(own):
                gallery["examples"].append({"class": classes[code], "pictures": [shown(int(row)) for row in own]})
        wrong = np.flatnonzero((answers != truth) & (truth >= 0))
        for row in wrong[np.argsort(-sure[wrong], kind="stable")][:MISTAKES]:
            told = {"true": classes[truth[row]], "predicted": classes[answers[row]], "probability": float(sure[row])}
            gallery["mistakes"].append({**shown(int(row)), **told})
        gallery["wrong"] = len(wrong)
    else:
        order = np.argsort(truth, kind="stable")
        spread = order[np.linspace(0, len(order) - 1, min(len(order), 2 * EXAMPLES)).astype(int)]
        gallery["examples"].append({"class": None, "pictures": [shown(int(row)) for row in spread]})
        for row in np.argsort(-np.abs(estimates - truth), kind="stable")[:MISTAKES]:
            gallery["mistakes"].append(
                {**shown(int(row)), "true": float(truth[row]), "predicted": float(estimates[row]), "probability": None}
            )
    # The Portuguese and English report show them alike, so they are kept once, as they were seen by the network.
    run.write_arrays("gallery", {"pictures": x[PICTURES][np.array(chosen, dtype=int)]})
    gallery["inside"] = _inside(run, dataset, trained, estimates, deadline)
    run.write("explanation", gallery)
    return gallery


EXAMPLES, MISTAKES, MOST_CLASSES = 6, 24, 20
SEEING_SHARE = 0.6
EXPLAINED = 3
"""So many right answers and so many wrong ones are explained."""


def _inside(
    run: Run, dataset: Dataset, trained: Design, estimates: np.ndarray, deadline: float | None
) -> dict[str, Any]:
    """What ``seeing.look`` finds within a share of the time left, since the report follows.

    The arrays are kept as ``inside.npz``, and with them the pictures they belong to.
    """
    problem, model, truth = trained.problem, trained.model, dataset.truth("test")
    tested = dataset.arrays("test")[0][PICTURES]
    metric = "accuracy" if "accuracy" in problem.metrics else problem.metric
    classes = problem.supervised_by == "classifier"
    if classes:
        answers, sure = problem.named(estimates), estimates.max(1)
        order = np.argsort(-sure, kind="stable")
        right, wrong = order[(answers == truth)[order]], order[((answers != truth) & (truth >= 0))[order]]
        shown = np.concatenate(
            [right[np.linspace(0, len(right) - 1, EXPLAINED).astype(int)] if len(right) else right, wrong[:EXPLAINED]]
        )
        outputs = answers[shown]
    else:
        shown = np.argsort(truth, kind="stable")[np.linspace(0, len(truth) - 1, 2 * EXPLAINED).astype(int)]
        outputs = np.ones(len(shown), int)

    def score(found: np.ndarray, places: np.ndarray) -> float:
        known = truth[places] >= 0 if classes else np.ones(len(places), bool)
        return problem.scores(truth[places][known], problem.estimates(found[known]))[metric]

    learnt = dataset.arrays("train")[0][PICTURES]
    if deadline is not None:
        deadline = time.monotonic() + SEEING_SHARE * (deadline - time.monotonic())
    told, arrays = seeing.look(model, learnt, tested, score, shown, outputs, seed=run_seed(run), deadline=deadline)
    names = problem.coding["classes"] if classes else []
    told["metric"] = metric
    told["answers"] = [
        {
            "true": str(names[truth[row]]) if classes and truth[row] >= 0 else None if classes else float(truth[row]),
            "predicted": str(names[answers[row]]) if classes else float(estimates[row]),
            "probability": float(estimates[row].max()) if classes else None,
        }
        for row in shown[: len(arrays.get("grad_cam", shown))]
    ]
    arrays |= {"shown": tested[shown], "mapped": tested[told.get("mapped", [])]}
    run.write_arrays("inside", arrays)
    return told


def run_seed(run: Run) -> int:
    return int(run.need("run").get("seed", 0))


def _dealt_anew(
    x: dict[str, np.ndarray], made_from: dict[str, list[str]], column: str, draws: np.random.Generator
) -> dict[str, np.ndarray]:
    order = draws.permutation(len(next(iter(x.values()))))
    dealt = {}
    for tensor, columns in made_from.items():
        places = [i for i, origin in enumerate(columns) if origin == column]
        dealt[tensor] = x[tensor]
        if places:
            dealt[tensor] = x[tensor].copy()
            dealt[tensor][:, places] = x[tensor][order][:, places]
    return dealt
