"""Spends what time is left on more trainings: networks and options by Optuna, and an ensemble of the best as one model.

Everything that a search decides stands in the run, so that a search that was stopped goes on with the next trial.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import keras
import numpy as np

from nervura import keeping, training
from nervura.dataset import Arrays, Dataset
from nervura.deciding import with_rule
from nervura.designing import Design, design
from nervura.ensembling import MOST_MEMBERS, ensemble, select
from nervura.errors import MissingDependency
from nervura.keeping import Watcher
from nervura.predicting import load_model
from nervura.problems.base import Problem
from nervura.run import Run, plain
from nervura.training import Answered
from nervura.zoo import zoo
from nervura.zoo.base import Network, options_to_json

MOST_TRIALS = 200
POOL = 30
"""The best trials by themselves, from which an ensemble is made."""

RANDOM_TRIALS = 4
"""Trials whose options are drawn at random, before Optuna's sampler learns from the earlier ones."""

PRUNING_EPOCHS = (4, 8, 16, 32, 64)
COMPARED = 2
"""Fewer earlier trials of a network than this tell nothing of what its loss should be by now."""

SHORTEST_TRIAL = 0.35
"""A trial is worth beginning with so much of a usual trial's time; its schedule is brought to its end in that."""

ASSEMBLING = 1.5
"""What a member costs in the ending, in times of what its held-out answers took: built, compiled, judged, explained."""


@dataclass
class Trial:
    """One training of a search, as ``search/<number>/trial.json`` keeps it.

    Attributes:
        options: all of the network's.
        score: the deciding metric on the rows that decided when to stop, less is better.
        losses: the validation loss after each epoch.
        stopped: why it ended: ``patience``, ``epochs``, ``budget``, or ``pruned`` when it was clearly behind.
        answering: the seconds that its answers for the held-out rows took.
    """

    number: int
    network: str
    options: dict[str, Any]
    seed: int
    score: float
    losses: list[float]
    best_epoch: int
    stopped: str
    seconds: float
    answering: float
    parameters: int


@dataclass
class Found:
    """What a search ends with: the design to ship, its answers for the held-out rows, and what all of it took."""

    design: Design
    answered: tuple[Answered, Answered]
    seconds: float
    told: str


def require_optuna() -> None:
    """Says what is missing where Optuna is.

    Raises:
        MissingDependency: it is not installed.
    """
    try:
        import optuna  # noqa: F401
    except ImportError:
        raise MissingDependency("A search", "optuna", "search") from None


class Search:
    """The trials of a run, finished ones taken from it, and the next ones.

    Args:
        first: the design of trial 0, trained.
        validation: rows that decide when to stop, and those that nothing else uses.
        given: options that the user has set for the first design's network; they stay.
        only: the first design's network alone is searched.
    """

    def __init__(
        self,
        run: Run,
        dataset: Dataset,
        first: Design,
        validation: tuple[Arrays, Arrays],
        given: dict[str, Any],
        only: bool,
        tell: Callable[[str], None],
        watchers: Sequence[Watcher] = (),
    ):
        self.run, self.dataset, self.first, self.validation = run, dataset, first, validation
        self.given, self.tell, self.watchers = given, tell, watchers
        self.networks = [first.network.name] if only else searched(dataset.problem, first)
        self.trials: list[Trial] = []
        while (told := run.read(f"{folder_of(len(self.trials))}/trial")) is not None:
            score_kept = math.inf if told["score"] is None else told["score"]
            self.trials.append(Trial(**{**told, "score": score_kept, "options": dict(told["options"])}))

    def go(self, trials: int | None, deadline: float | None, seconds: float, stopped: str) -> Found:
        """Trains until so many trials are there or time is up, and makes the ensemble.

        Args:
            seconds, stopped: of the first design's training.
        """
        began = time.monotonic()
        if not self.trials:
            losses = self.run.history()["val_loss"]
            self._keep(self.first, losses, int(np.nanargmin(losses)) + 1, stopped, seconds)
        journal = self.run.read("search") or {}
        if "members" not in journal:
            ended = "trials"
            while len(self.trials) < (MOST_TRIALS if trials is None else trials):
                if deadline is not None and deadline - time.monotonic() < self._least(deadline - began):
                    ended = "budget"
                    break
                self._train(deadline and deadline - self._ending(deadline - began))
            journal = {"ended": ended, **self._choose(deadline)}
            self.run.write("search", journal)
        took = sum(trial.seconds for trial in self.trials)
        return self._assemble([(one["trial"], one["weight"]) for one in journal["members"]], took)

    def _least(self, whole: float) -> float:
        """The time without which another trial is not worth beginning."""
        usual = float(np.median([trial.seconds for trial in self.trials if trial.stopped != "pruned"]))
        return self._ending(whole) + SHORTEST_TRIAL * usual

    def _ending(self, whole: float) -> float:
        """What the ensemble takes once the last trial has ended, at most a good part of the whole search."""
        members = min(MOST_MEMBERS, 1 + len(self._choose(None)["members"]))
        return min(0.4 * whole, ASSEMBLING * members * float(np.median([trial.answering for trial in self.trials])))

    def _train(self, deadline: float | None) -> None:
        number = len(self.trials)
        network, options = self.suggest(number)
        made = design(
            self.dataset.problem,
            network,
            self.dataset.schema,
            options,
            self.first.seed + number,
            self.first.groups,
        )
        self.tell(f"trial {number}: {network}")
        pruner = Pruner([trial.losses for trial in self.trials if trial.network == network])
        fit = training.fit(
            made,
            self.dataset.arrays("train"),
            self.validation[0],
            folds=self.dataset.fold_of_training,
            deadline=deadline,
            watchers=[pruner.see, *self.watchers],
            callbacks=[pruner],
        )
        stopped = "pruned" if pruner.pruned else fit.stopped
        self._keep(made, fit.history.get("val_loss", []), fit.best_epoch, stopped, fit.seconds)

    def _keep(self, made: Design, losses: list[float], best_epoch: int, stopped: str, seconds: float) -> None:
        """Writes a trial into the run, whole or not at all."""
        began, number = time.monotonic(), len(self.trials)
        answered = training.held_out(
            made, self.dataset.arrays("train"), *self.validation, self.dataset.fold_of_training
        )
        trial = Trial(
            number,
            made.network.name,
            options_to_json(made.options),
            made.seed,
            score(ruled(self.dataset.problem, *answered[0]), *answered[0]),
            [float(loss) for loss in losses],
            best_epoch,
            stopped,
            seconds,
            time.monotonic() - began,
            made.parameters,
        )

        def write(folder: Path) -> None:
            made.model.save(folder / "model.keras")
            (outputs, target), (others, others_target) = answered
            np.savez(
                folder / "answers.npz",
                stopping=outputs,
                stopping_target=target,
                untouched=others,
                untouched_target=others_target,
            )
            (folder / "trial.json").write_text(json.dumps(plain(asdict(trial)), indent=1) + "\n", encoding="utf-8")

        self.run.write_folder(folder_of(number), write)
        self.trials.append(trial)

    def suggest(self, number: int) -> tuple[str, dict[str, Any]]:
        """The network and the options of a trial: a function of its number and the trials before it.

        First comes each network as it is, then what Optuna's TPE suggests.
        """
        if number < len(self.networks):
            return self.networks[number], self._given(self.networks[number])
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        seed = int(np.random.SeedSequence([self.first.seed, number]).generate_state(1)[0])
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=RANDOM_TRIALS)
        study = optuna.create_study(sampler=sampler)
        for trial in self.trials[:number]:
            if math.isfinite(trial.score):
                study.add_trial(self._told_to_optuna(trial))
        asked = study.ask()
        network = asked.suggest_categorical("network", self.networks)
        chosen = {
            name: json.loads(asked.suggest_categorical(f"{network}.{name}", choices))
            for name, choices in self._choices(network).items()
        }
        return network, {**self._given(network), **chosen}

    def _told_to_optuna(self, trial: Trial) -> Any:
        import optuna

        values, choices = {"network": trial.network}, {"network": self.networks}
        for name, known in self._choices(trial.network).items():
            if (value := json.dumps(trial.options[name])) in known:
                values[f"{trial.network}.{name}"], choices[f"{trial.network}.{name}"] = value, known
        distributions: dict[str, Any] = {
            name: optuna.distributions.CategoricalDistribution(known) for name, known in choices.items()
        }
        return optuna.trial.create_trial(params=values, distributions=distributions, value=trial.score)

    def _given(self, network: str) -> dict[str, Any]:
        return dict(self.given) if network == self.first.network.name else {}

    def _choices(self, network: str) -> dict[str, list[str]]:
        """The values worth searching of each option that is not given, as JSON, since Optuna takes no lists."""
        return {
            name: [json.dumps(value) for value in values]
            for name, values in search_ranges(zoo.load(network)).items()
            if name not in self._given(network)
        }

    def _choose(self, deadline: float | None) -> dict[str, Any]:
        """The members of the ensemble and their weights; fewer of them where little time is left to put them together."""
        able = [t for t in self.trials if t.stopped != "pruned" and math.isfinite(t.score)] or self.trials[:1]
        pool = sorted(able, key=lambda trial: trial.score)[:POOL]
        answers = [self._answers(trial.number) for trial in pool]
        target = answers[0]["stopping_target"]
        most = MOST_MEMBERS
        if deadline is not None:
            each = ASSEMBLING * float(np.median([trial.answering for trial in self.trials]))
            most = max(1, min(most, int((deadline - time.monotonic()) / each)))
        stopping = [one["stopping"] for one in answers]
        # One rule by which classes are named serves all mixtures: their probabilities mean the same.
        problem = ruled(self.dataset.problem, np.mean(stopping, axis=0), target)
        counts, reached = select(stopping, lambda mean: score(problem, mean, target), most)
        whole = sum(counts.values())
        members = [{"trial": pool[i].number, "weight": count / whole} for i, count in counts.items()]
        return {
            "metric": self.dataset.problem.metric,
            "score": reached,
            "members": sorted(members, key=lambda one: (-one["weight"], one["trial"])),
            "trials": [{"trial": t.number, "network": t.network, "stopped": t.stopped} for t in self.trials],
        }

    def _answers(self, number: int) -> dict[str, np.ndarray]:
        return self.run.read_arrays(f"{folder_of(number)}/answers") or {}

    def _assemble(self, members: list[tuple[int, float]], seconds: float) -> Found:
        """The design to ship: of several members their weighted mean, of one its own."""
        designs = [self._trained(self.trials[number]) for number, _ in members]
        weights = [weight for _, weight in members]
        answers = [self._answers(number) for number, _ in members]

        def mean(rows: str) -> Answered:
            outputs = sum(weight * one[rows] for weight, one in zip(weights, answers, strict=True))
            return np.asarray(outputs, dtype="float32"), answers[0][f"{rows}_target"]

        answered = mean("stopping"), mean("untouched")
        names = ", ".join(f"{weight:.0%} {self.trials[number].network} (trial {number})" for number, weight in members)
        told = f"Searched {len(self.trials)} trials; the network is {names}."
        if len(designs) == 1:
            return Found(designs[0], answered, seconds, told)
        made = ensemble(designs, weights)
        made.members_told = [
            {
                "weight": weight,
                **{key: asdict(self.trials[number])[key] for key in TOLD},
                "settings": options_to_json(one.options),
            }
            for one, (number, weight) in zip(designs, members, strict=True)
        ]
        return Found(made, answered, seconds, told)

    def _trained(self, trial: Trial) -> Design:
        """The design of a finished trial with its weights."""
        if trial.number == 0:
            return self.first
        made = design(self.dataset.problem, trial.network, self.dataset.schema, trial.options, trial.seed)
        kept = load_model(Run(self.run.path / folder_of(trial.number)))
        for variable, value in zip(made.model.variables, kept.variables, strict=True):
            variable.assign(value)
        return made


TOLD = ("number", "network", "options", "seed", "score", "parameters")


def folder_of(number: int) -> str:
    """The folder of a run that holds a trial."""
    return f"search/{number}"


def searched(problem: Problem, first: Design) -> list[str]:
    """The networks that are searched, that of the first design in front: those that have options of their own worth
    searching, suit the problem and, where the first is bagged, can be bagged, so that all can be judged on the same rows.
    """
    others = [
        network.name
        for network in zoo
        if problem.name in network.suits
        and network.takes & first.network.takes
        and len(search_ranges(network)) > 1
        and (first.groups == 1 or "folds" in {f.name for f in fields(network.Options)})
    ]
    return [first.network.name, *(name for name in others if name != first.network.name)]


def search_ranges(network: Network) -> dict[str, tuple[Any, ...]]:
    """The options of a network that are worth searching, and their values."""
    return {f.name: f.metadata["search"] for f in fields(network.Options) if f.metadata["search"]}


def score(problem: Problem, outputs: np.ndarray, target: np.ndarray) -> float:
    """The deciding metric of a network's outputs, turned so that less is better; infinite where they are no numbers."""
    known = target >= 0 if problem.supervised_by == "classifier" else np.isfinite(target)
    value = float(problem.loss(problem.truth(target[known]), problem.estimates(outputs[known]))[0])
    return value if math.isfinite(value) else math.inf


def ruled(problem: Problem, outputs: np.ndarray, target: np.ndarray) -> Problem:
    """The problem with the rule by which classes are best named, learnt from a network's outputs."""
    return with_rule(problem, problem.truth(target), problem.estimates(outputs))


class Pruner(keras.callbacks.Callback):
    """Stops a trial whose best validation loss is behind the median of earlier trials of its network at that epoch.

    Source: the median rule of Golovin et al., Google Vizier, KDD 2017; asked at a few epochs only.
    """

    def __init__(self, earlier: list[list[float]]):
        super().__init__()
        self.earlier, self.pruned, self.behind = [losses for losses in earlier if losses], False, False

    def see(self, progress: keeping.Progress) -> None:
        """A watcher: notes whether the trial is behind."""
        if progress.epoch in PRUNING_EPOCHS and len(self.earlier) >= COMPARED:
            self.behind = progress.best > float(np.median([min(losses[: progress.epoch]) for losses in self.earlier]))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.behind:
            self.pruned, self.model.stop_training = True, True
