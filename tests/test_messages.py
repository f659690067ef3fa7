"""What steps say in English is said in Portuguese too."""

import re
import string
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from nervura.dataset import Dataset
from nervura.messages import SENTENCES, told
from nervura.zoo import zoo


def test_both_languages_have_the_same_places() -> None:
    for english, portuguese in SENTENCES.items():
        places = [
            sorted(name for _, name, _, _ in string.Formatter().parse(one) if name) for one in (english, portuguese)
        ]
        assert set(places[1]) <= set(places[0]), english


@pytest.mark.parametrize(
    ("english", "portuguese"),
    [
        ("the target has two values: bad and good", "o alvo tem dois valores: bad e good"),
        ("the target has 1,234 different values in 3,000 rows, too many for classes",
         "o alvo tem 1\u00a0234 valores diferentes em 3\u00a0000 linhas, demasiados para classes"),
        ("20% for the test, 20% of the rest for validation: rows drawn at random within each class",
         "20\u00a0% para teste, 20\u00a0% do resto para validação: linhas tiradas à sorte dentro de cada classe"),
        ("2.5% of the values are not numbers ('n/d'); they count as missing",
         "2,5\u00a0% dos valores não são números ('n/d'); contam como em falta"),
        ("Training stopped after 12 epochs (patience); best: 3.", "O treino parou após 12 épocas (paciência); a melhor: 3."),
        ("relu, 10% dropped in training", "relu, 10\u00a0% desligados no treino"),
        ("every value is missing; somebody's own words", "todos os valores estão em falta; somebody's own words"),
        ("the target has two values: {0} and {x.y}", "o alvo tem dois valores: {0} e {x.y}"),
        ("somebody's own words", "somebody's own words"),
    ],
)  # fmt: skip
def test_sentences_are_told_in_portuguese(english: str, portuguese: str) -> None:
    assert told(english, "pt") == portuguese
    assert told(english, "en") == english


def test_what_is_found_in_a_table_is_told_in_portuguese() -> None:
    draw, rows = np.random.default_rng(0), 300
    x = draw.normal(size=rows)
    table = pl.DataFrame(
        {
            "x": x,
            "again": x,
            "same": ["a"] * rows,
            "none": [None] * rows,
            "number": range(rows),
            "name": [f"n{row}" for row in range(rows)],
            "list": [[row] for row in range(rows)],
            "infinite": np.where(np.arange(rows) % 50 == 0, np.inf, draw.normal(size=rows)),
            "gaps": [row / 7 if row % 3 == 0 else None for row in range(rows)],
            "typed": [f"{row / 9}" if row % 60 else "n/d" for row in range(rows)],
            "mixed": [f"{row / 9}" if row % 3 else f"w{row % 5}" for row in range(rows)],
            "day": [f"{date(2000, 1, 1 + row % 12) + timedelta(31 * (row % 7)):%d/%m/%Y}"[:3] + "02/2001" for row in range(rows)],
            "group": draw.choice(["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"], rows),
            "y": np.where(x > 0, "yes", "no"),
        }
    )  # fmt: skip
    said: list[str] = []
    for target, more in (("y", {}), ("x", {"group": "group"}), ("infinite", {"time": "number", "drop": ["x"]})):
        dataset = Dataset.open(table, target, **more)
        columns = dataset.schema.columns
        said += [column.reason for column in columns if column.reason]
        said += [warning for column in columns for warning in column.warnings]
        said += [dataset.detection.reason, *dataset.detection.declined.values()]
        said += [dataset.split.method, *dataset.split.notes]
    assert len(set(said)) > 20
    english = re.compile(r"\b(the|of|and|it|are|has|is)\b")
    assert not [one for one in said if told(one, "pt") == one or english.search(told(one, "pt"))]


def test_every_network_is_summed_up_in_portuguese() -> None:
    for network in zoo:
        assert told(network.summary, "pt") != network.summary, network.name
