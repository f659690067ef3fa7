"""Which rows are unlike the others: scores of several detectors, on the rows and on what a network makes of them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import polars as pl

from nervura import metrics, oddness, plots
from nervura.detectors import detectors
from nervura.detectors.base import Detector, Fitted, Index, learnt
from nervura.encoding import PICTURES
from nervura.messages import LANGUAGES, localised
from nervura.problems.base import (
    SEPARATOR,
    Answers,
    Appraisal,
    Declined,
    Finding,
    Metric,
    Rival,
    Targetless,
    Trained,
    halved,
)
from nervura.problems.base import no_labels as labels_needed
from nervura.schema import Schema
from nervura.viewing import CODE, KNOWN_ROWS, LIKE, ROWS, ROWS_AT_ONCE, Views, learnt_rows
from nervura.zoo.base import option

PANELS = {
    "yes": (("neighbours", ROWS), ("gaussian_mixture", ROWS), ("neighbours", CODE)),
    "no": (
        ("sampled_neighbours", ROWS),
        ("robust_gaussian", ROWS),
        ("gaussian_mixture", ROWS),
        ("sampled_neighbours", CODE),
    ),
}
"""The detectors that are combined, where the rows to learn from are clean and where anomalies may be among them. Fixed by
the ablation of docs/anomaly.md; no labels play a part."""

SHOWN, PICTURES_SHOWN = 20, 10
ORDERED = "ordered"
JUDGING = ("validation", "test")


def _of_labelled(odd: bool, alarm: bool) -> Any:
    """The share of the rows with a label of a kind that raise an alarm: estimates (rows, 2), the first of them 0 or 1."""

    def share(truth: np.ndarray, estimates: np.ndarray, weights: np.ndarray) -> np.ndarray:
        own = weights * (truth == odd)
        with np.errstate(invalid="ignore", divide="ignore"):
            return own @ (estimates[:, 0] == alarm) / own.sum(1)

    return share


def _alarm_rate(truth: np.ndarray, estimates: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return weights @ estimates[:, 0] / weights.sum(1)


UNLABELLED = {"alarm_rate": Metric(_alarm_rate, False, "share of rows that raise an alarm")}
LABELLED = {
    "roc_auc": Metric(metrics.roc_auc, True, "chance that an anomaly is ranked above another row"),
    "average_precision": Metric(metrics.average_precision, True, "area under the precision-recall curve"),
    "recall": Metric(_of_labelled(True, True), True, "share of the anomalies that raise an alarm"),
    "false_alarm_rate": Metric(_of_labelled(False, True), False, "share of the other rows that raise an alarm"),
}


@dataclass
class AnomalyOptions:
    """What the problem can be told."""

    clean: str = option(
        "no",
        "whether the rows to learn from hold no anomalies; yes: they do not, and those that are labelled as such are left "
        "out of them",
        choices=("yes", "no"),
    )


@dataclass
class Member:
    """A detector of the panel, what it looks at, and how seldom usual rows score as high as a row."""

    name: str
    view: str
    fitted: Fitted
    surprise: oddness.Surprise

    def __call__(self, seen: dict[str, np.ndarray]) -> np.ndarray:
        return self.surprise(self.fitted.score(seen[self.view]))


class Anomaly(Targetless):
    """The surprises of several detectors, averaged, with a conformal p-value. See docs/anomaly.md.

    Estimates are (rows, 2): whether a row raises an alarm, 0 or 1, and its score.
    """

    name = "anomaly"
    summary = "Which rows are unlike the others, and why: no target is needed."
    metric = "roc_auc"
    metrics = {**LABELLED, **UNLABELLED}
    calibrates = True
    keeps_rows = True
    level = 0.99
    rank = 20
    Options = AnomalyOptions

    def __init__(self, coding: dict[str, Any] | None = None, arrays: dict[str, np.ndarray] | None = None):
        super().__init__(coding, arrays)
        if "odd" in self.coding:
            self.metrics = LABELLED if self.odd else UNLABELLED
            if self.metric not in self.metrics:
                self.metric = next(iter(self.metrics))

    @property
    def odd(self) -> list[str]:
        """The labels that mean an anomaly; empty where nothing is labelled."""
        return self.coding.get("odd", [])

    def fits_rows(self, schema: Schema) -> str:
        if not schema.inputs:
            raise Declined("there is no column to look at")
        if schema.inputs[0].kind == "series":
            raise Declined(
                "series are not rebuilt; --column with number in place of series reads them as plain numbers"
            )
        return "rows that are unlike the others can be found"

    def told(self, given: Mapping[str, Any], level: float | None = None, labels: pl.Series | None = None) -> Self:
        found = super().told(given, level, labels)
        odd = [] if labels is None else oddness.odd_labels(labels)
        return type(self)({**found.coding, "odd": odd})

    def learns_from(self, labels: pl.Series | None) -> np.ndarray | None:
        if self.options.clean == "no" or labels is None or not self.odd:
            return None
        return oddness.truth_of(labels, self.odd, len(labels)) == 0

    def settle(self, parts: dict[str, Answers]) -> Self:
        outputs = self._some_of(parts["train"])
        views = Views.of(self.layout, outputs)
        seen = {"train": views(outputs), "validation": views(parts["validation"].outputs)}
        coding: dict[str, Any] = {**self.coding, "picture": _picture(parts["train"]), "panel": []}
        arrays = {**views.arrays, "known": _some(seen["train"][ROWS], KNOWN_ROWS)}
        surprises = []
        for name, view in PANELS[self.options.clean]:
            fitted, held = learnt(detectors.load(name), seen["train"][view], seen["validation"][view])
            surprise = oddness.Surprise.of(_halves(held)[0])
            surprises.append(surprise(_halves(held)[1]))
            title = _title(name, view)
            arrays |= {f"{title}/{key}": array for key, array in fitted.arrays().items()}
            arrays[f"{title}/{ORDERED}"] = surprise.ordered
            coding["panel"].append({"detector": name, "view": view, "logarithmic": surprise.logarithmic})
        calibration = np.sort(oddness.combined(surprises))
        coding["calibration"] = {
            "rows": len(calibration),
            "p_value": oddness.alarming(len(calibration), self.coding["level"]),
        }
        return type(self)(coding, {**arrays, "calibration": calibration})

    def _some_of(self, training: Answers) -> np.ndarray:
        """What the network gave for the rows that detectors learn from."""
        return _some(training.outputs, learnt_rows(self.layout.width))

    @cached_property
    def views(self) -> Views:
        """What detectors look at."""
        return Views(self.layout, self.arrays)

    @cached_property
    def members(self) -> list[Member]:
        """The detectors of the panel as they were learnt."""
        found = []
        for told in self.coding["panel"]:
            title = f"{_title(told['detector'], told['view'])}/"
            own = {key.removeprefix(title): array for key, array in self.arrays.items() if key.startswith(title)}
            surprise = oddness.Surprise(own.pop(ORDERED), told["logarithmic"])
            fitted = detectors.load(told["detector"]).fitted.of(own)
            found.append(Member(told["detector"], told["view"], fitted, surprise))
        return found

    def surprises(self, outputs: np.ndarray) -> np.ndarray:
        """How odd rows are, (rows,): the mean surprise of the panel, by the network's outputs."""
        parts = []
        for start in range(0, len(outputs), ROWS_AT_ONCE):
            seen = self.views(outputs[start : start + ROWS_AT_ONCE])
            parts.append(oddness.combined(member(seen) for member in self.members))
        return np.concatenate([np.empty(0), *parts])

    def alarms(self, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The p-values of scores and which of them raise an alarm, each (rows,)."""
        found = oddness.p_values(scores, self.arrays["calibration"])
        return found, found <= self.coding["calibration"]["p_value"]

    @property
    def threshold(self) -> float:
        """The score above which a row raises an alarm."""
        calibration = self.arrays["calibration"]
        # A little more, since the product of a fraction and its denominator may fall short of a whole number.
        allowed = int(self.coding["calibration"]["p_value"] * (len(calibration) + 1) + 1e-9)
        return float(calibration[-allowed])

    def measured(self, outputs: np.ndarray, labels: pl.Series | None = None) -> tuple[np.ndarray, np.ndarray]:
        truth = oddness.truth_of(labels, self.odd, len(outputs)) if self.odd else np.zeros(len(outputs))
        if self.odd and not np.isfinite(truth).any():
            raise labels_needed(self)
        scores = self.surprises(outputs)
        return truth, np.column_stack([self.alarms(scores)[1], scores])

    def decode(self, estimates: np.ndarray) -> pl.DataFrame:
        scores = self.surprises(estimates)
        values, alarms = self.alarms(scores)
        return pl.DataFrame(
            {
                "prediction": np.where(alarms, "yes", "no"),
                "score": scores,
                "p_value": values,
                "reasons": pl.Series(self.reasons(estimates), dtype=pl.String),
            }
        )

    def figures_of(self, answers: pl.DataFrame) -> np.ndarray:
        # A p-value makes a step where a score passes that of a row that calibrates.
        return answers.select("score").to_numpy()

    def reasons(self, outputs: np.ndarray) -> list[str]:
        """Which columns, or parts of a picture, made each row odd, and how much of its oddness each is.

        A column's part is the mean of two: its share of the squared distance from the rows that are most like it, and of
        the squared error with which the network rebuilds it, in units of what is usual for the column.
        """
        told: list[str] = []
        views, index = self.views, self._like
        names, groups, numbers = views.groups(self.coding["picture"])
        for start in range(0, len(outputs), ROWS_AT_ONCE):
            part = outputs[start : start + ROWS_AT_ONCE]
            like = index.nearest(views(part)[ROWS], LIKE)[1]
            away = views.scaled(part) - views.unfolded(index.known[like].mean(1))
            both = (oddness.shares_of(values**2, groups, len(names)) for values in (away, views.missed(part)))
            signs = np.where(numbers >= 0, np.sign(away[:, numbers]), 0).astype(int)
            shares = np.sum(list(both), axis=0)
            # Where the network rebuilds a row exactly, the other half tells all.
            shares = shares / np.maximum(shares.sum(1, keepdims=True), 1e-30)
            told += oddness.reasons(shares, names, signs, SEPARATOR)
        return told

    @cached_property
    def _like(self) -> Index:
        return Index(self.arrays["known"])

    def appraise(self, trained: Trained) -> Appraisal:
        found = Appraisal(list(self._rivals(trained)))
        if self.odd:
            parts = {part: trained.parts[part] for part in JUDGING}
            found.truth = {
                part: oddness.truth_of(one.labels, self.odd, len(one.outputs)) for part, one in parts.items()
            }
        if found.truth is None or not _both_kinds(found.truth["test"]):
            found.verdict = self._unjudged(found)
        elif not _both_kinds(found.truth["validation"]):
            found.choosing = _every_second(found.truth["test"])
            if _both_kinds(found.truth["test"][found.choosing]):
                found.notes.append(
                    "No validation row is labelled as an anomaly: half of the test rows choose between the models in place of "
                    "them, and the verdict rests on the other half."
                )
            else:
                found.verdict = self._unjudged(found)
        found.findings = [self._calibrated(found), _agreeing(found), self._oddest(found, trained.parts["test"])]
        self._show(found, trained.parts["test"])
        return found

    def _rivals(self, trained: Trained) -> Iterator[Rival]:
        """The panel as a whole; the panel without what the network tells; every detector of the rows alone; and what the
        network alone tells."""
        outputs = {part: answers.outputs for part, answers in trained.parts.items()}
        outputs["train"] = self._some_of(trained.parts["train"])
        seen = {part: self.views(rows) for part, rows in outputs.items()}

        def scored(detector: Detector, view: str) -> dict[str, np.ndarray]:
            fitted, held = learnt(detector, seen["train"][view], seen["validation"][view])
            return {"validation": held, "test": fitted.score(seen["test"][view])}

        panel = [(one, scored(detectors.load(one.name), one.view)) for one in self.members]
        without = [(one, scores) for one, scores in panel if one.view == ROWS]
        both = [
            {part: oddness.combined(one.surprise(scores[part]) for one, scores in members) for part in JUDGING}
            for members in (panel, without)
        ]
        yield self._rival(trained.name, "deep", 9, both[0], trained.seconds)
        yield self._rival("constant", "constant", 0, {part: np.zeros(len(scores)) for part, scores in both[0].items()})
        yield self._rival("panel_of_rows", "detector", 6, both[1])
        for detector in detectors:
            if trained.left() < 10.0:
                break
            trained.tell(detector.name)
            began = time.monotonic()
            scores = scored(detector, ROWS)
            yield self._rival(detector.name, "detector", 2, scores, time.monotonic() - began)
        errors = {part: self.layout.errors(trained.parts[part].outputs).sum(1) for part in JUDGING}
        yield self._rival("rebuilding_error", "deep", 7, errors, trained.seconds)
        for one, scores in panel:
            if one.view == CODE:
                yield self._rival(f"{one.name}_of_code", "deep", 8, scores, trained.seconds)

    def _rival(
        self, name: str, kind: str, simplicity: int, scores: dict[str, np.ndarray], seconds: float = 0.0
    ) -> Rival:
        """A method with its scores and the alarms that it raises at the level asked for."""
        calibration = np.sort(_halves(scores["validation"])[1])
        alarms = {
            part: oddness.p_values(values, calibration) <= self.coding["calibration"]["p_value"]
            for part, values in scores.items()
        }
        validation, test = (np.column_stack([alarms[part], scores[part]]) for part in JUDGING)
        return Rival(name, kind, simplicity, validation, test, seconds)

    def _unjudged(self, found: Appraisal) -> dict[str, Any]:
        """The verdict where no labels tell which detector is right: how far they agree, and no more."""
        name, together = found.rivals[0].name, _agreements(found)
        without = together.get("panel_of_rows", (float("nan"), float("nan")))
        said = {"name": name, "rank": f"{without[0]:.2f}", "share": f"{without[1]:.0%}"}
        why = "few" if self.odd else "none"
        texts = [
            localised(f"{UNJUDGED[lang][why]} {UNJUDGED[lang]['agreement'].format(**said)}", lang) for lang in LANGUAGES
        ]
        best: dict[str, Any] = {
            "best": name,
            "simplest": name,
            "choice": name,
            "deep_warranted": None,
            "differences": {},
        }
        return {"text": texts[0], "text_pt": texts[1], "metric": self.metric, **best}

    def _calibrated(self, found: Appraisal) -> Finding:
        """How many alarms were promised, and how many there were."""
        alarms, promised = found.rivals[0].test[:, 0], self.coding["calibration"]["p_value"]
        table: list[list[Any]] = [[["all test rows", "todas as linhas de teste"], len(alarms), float(alarms.mean())]]
        if found.truth is not None:
            for title, label in (
                (["not labelled as anomalies", "não etiquetadas como anomalias"], 0),
                ([f"labelled {', '.join(self.odd)}", f"etiquetadas {', '.join(self.odd)}"], 1),
            ):
                rows = found.truth["test"] == label
                table.append([title, int(rows.sum()), float(alarms[rows].mean()) if rows.any() else None])
        rows = self.coding["calibration"]["rows"]
        level, few = 1 - self.coding["level"], 1 / (rows + 1) > 1 - self.coding["level"] + 1e-12
        short = (
            (
                f" {rows:,} rows are too few to tell {level:.2%}: the alarm is raised at {promised:.2%}.",
                f" {rows:,} linhas são poucas para {level:.2%}: o alarme é dado a {promised:.2%}.",
            )
            if few
            else ("", "")
        )
        return Finding(
            ("Alarms", "Alarmes"),
            (
                f"A row raises an alarm where its p-value is at most {promised:.2%}: of rows like the {rows:,} held-out ones "
                f"that calibrate it, no larger share does so on average.{short[0]}",
                f"Uma linha dá alarme quando o seu valor p é no máximo {promised:.2%}: das linhas como as {rows:,} reservadas "
                f"que o calibram, não é maior a parte que o faz, em média.{short[1]}",
            ),
            [("Rows", "Linhas"), ("number", "número"), ("share with an alarm", "parte com alarme")],
            table,
        )

    def _oddest(self, found: Appraisal, test: Answers) -> Finding:
        """The rows that are most unlike the others, and why."""
        scores = found.rivals[0].test[:, 1]
        chosen = np.argsort(-scores, kind="stable")[:SHOWN]
        values, why = self.alarms(scores[chosen])[0], self.reasons(test.outputs[chosen])
        heads = [("Row", "Linha"), ("score", "pontuação"), ("p-value", "valor p"), ("reasons", "razões")]
        rows: list[list[Any]] = [
            [_name(test, int(row)), float(scores[row]), float(value), told.replace(SEPARATOR, ", ")]
            for row, value, told in zip(chosen, values, why, strict=True)
        ]
        if test.labels is not None:
            heads.append(("label", "etiqueta"))
            rows = [[*cells, test.labels[int(row)] or "–"] for cells, row in zip(rows, chosen, strict=True)]
        return Finding(
            ("The oddest test rows", "As linhas de teste mais estranhas"),
            (
                "What made each of them odd, and how much of its oddness each column is: the distance from the rows that are "
                "most like it, and the error with which the network rebuilds it.",
                "O que tornou cada uma estranha, e que parte da estranheza é de cada coluna: a distância às linhas mais "
                "parecidas e o erro com que a rede a reconstrói.",
            ),
            heads,
            rows,
        )

    def _show(self, found: Appraisal, test: Answers) -> None:
        """The oddest pictures, what is rebuilt of them, and where the two differ."""
        if self.coding["picture"] is None:
            return
        shape = self.coding["picture"]
        chosen = np.argsort(-found.rivals[0].test[:, 1], kind="stable")[:PICTURES_SHOWN]
        rebuilt = np.clip(255 * self.layout.rebuilt(test.outputs[chosen]), 0, 255).reshape(-1, *shape)
        errors = np.abs(self.views.missed(test.outputs[chosen])).reshape(-1, *shape).mean(3, keepdims=True)
        errors = (255 * errors / np.maximum(errors.max((1, 2, 3), keepdims=True), 1e-9)).repeat(shape[2], axis=3)
        tiles = np.concatenate([test.x[PICTURES][chosen], rebuilt, errors]).astype(np.uint8)
        found.arrays["oddest"] = plots.mosaic(tiles, len(chosen), 56)
        found.findings.append(
            Finding(
                ("The oddest pictures", "As imagens mais estranhas"),
                (
                    "The oddest test pictures, below them what the network rebuilds of them, and where they differ most in "
                    "units of what is usual for each pixel (light).",
                    "As imagens de teste mais estranhas; por baixo, o que a rede delas reconstrói e onde mais diferem, em "
                    "unidades do que é habitual em cada píxel (claro).",
                ),
                picture="oddest",
            )
        )


UNJUDGED = {
    "en": {
        "none": "No column says which rows are anomalies, so it cannot be judged whether a deep network is warranted here; "
        "with --target COLUMN it can.",
        "few": "The validation or the test rows hold no row labelled as an anomaly, or none that is not, so it cannot be "
        "judged whether a deep network is warranted here.",
        "agreement": "What can be said is how far the detectors agree: without what {name} adds, the same rows are ranked "
        "with a rank correlation of {rank}, and {share} of the oddest rows are the same.",
    },
    "pt": {
        "none": "Nenhuma coluna diz que linhas são anomalias, por isso não se pode julgar se uma rede profunda se justifica "
        "aqui; com --target COLUNA pode.",
        "few": "As linhas de validação ou de teste não têm nenhuma linha etiquetada como anomalia, ou nenhuma que o não seja, "
        "por isso não se pode julgar se uma rede profunda se justifica aqui.",
        "agreement": "O que se pode dizer é até onde os detetores concordam: sem o que {name} acrescenta, as mesmas linhas "
        "são ordenadas com uma correlação de postos de {rank}, e {share} das linhas mais estranhas são as mesmas.",
    },
}


def _agreements(found: Appraisal) -> dict[str, tuple[float, float]]:
    own, *others = found.rivals
    scores = {one.name: one.test[:, 1] for one in others if one.kind != "constant"}
    return oddness.agreement(scores, own.test[:, 1], ODDEST_SHARE)


def _agreeing(found: Appraisal) -> Finding:
    """How far the detectors agree with the whole."""
    return Finding(
        ("How the detectors agree", "Como os detetores concordam"),
        (
            f"Each detector beside {found.rivals[0].name}, which combines several: the rank correlation of their scores on the "
            f"test rows, and how many of the oddest {ODDEST_SHARE:.0%} both name. Agreement is no proof of being right.",
            f"Cada detetor ao lado de {found.rivals[0].name}, que combina vários: a correlação de postos das pontuações nas "
            f"linhas de teste, e quantas das {ODDEST_SHARE:.0%} mais estranhas ambos apontam. Concordar não é prova de acerto.",
        ),
        [("Detector", "Detetor"), ("rank correlation", "correlação de postos"), ("oddest rows in common", "em comum")],
        [[name, *values] for name, values in _agreements(found).items()],
    )


ODDEST_SHARE = 0.05


def _both_kinds(truth: np.ndarray) -> bool:
    return {0.0, 1.0} <= set(truth.tolist())


def _every_second(truth: np.ndarray) -> np.ndarray:
    """Every second row of each kind, bool (rows,); of three anomalies one."""
    chosen = np.zeros(len(truth), bool)
    for kind in (0.0, 1.0):
        chosen[np.flatnonzero(truth == kind)[1::2]] = True
    return chosen


def _title(name: str, view: str) -> str:
    return f"{name}_of_{view}"


def _name(test: Answers, row: int) -> Any:
    return test.names[row] if test.names is not None else row + 1


def _halves(validation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What belongs to the validation rows that decided when training stopped, and to those that nothing has used."""
    first, second = halved(len(validation))
    return validation[first], validation[second]


def _picture(answers: Answers) -> list[int] | None:
    return list(answers.x[PICTURES].shape[1:]) if PICTURES in answers.x else None


def _some(rows: np.ndarray, most: int) -> np.ndarray:
    return rows[:: max(1, -(-len(rows) // most))]
