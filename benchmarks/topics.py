"""Codes and topics of documents beside latent semantic analysis, TF-IDF, matrix factorisation and latent Dirichlet allocation.

    python benchmarks/topics.py DATA_DIR [--sets 20newsgroups reuters] [--lengths 10 30 128] [--topics 50] [--epochs 15]
        [--networks contrastive_autoencoder autoencoder]

DATA_DIR holds 20newsgroups.parquet (split, label, text with headers, which are taken off) and reuters21578.parquet (modapte,
topics, title, body; documents of one topic take part). Everything is learnt from the training documents of the usual split,
without labels; the test documents judge. All methods see the same counts of 2,000 stems.

Printed are the share of a test document's 1, 3, 7, 10, 15 ... nearest other test documents that have its label and, with so
many topics, normalised mutual information and purity on the test documents, coherence (NPMI of ten leading words over the
training documents) and diversity.
"""

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402
import polars as pl  # noqa: E402
from sklearn.decomposition import NMF, LatentDirichletAllocation, TruncatedSVD  # noqa: E402

import nervura  # noqa: E402
from nervura import topical, words  # noqa: E402
from nervura.topical import Mixture  # noqa: E402

NUMBERS = [1, 3, 7, 10, 15, 31, 63, 127, 255]


def newsgroups(folder: Path) -> tuple[list[str], list[str], list[str], list[str]]:
    """Texts and labels to learn from, and those to judge by. The lines of the training half are parted by tabs."""
    rows = pl.read_parquet(folder / "20newsgroups.parquet")
    rows = rows.with_columns(text=pl.Series([re.split(r"\n\n|\t\t", text, maxsplit=1)[-1] for text in rows["text"]]))
    parts = [rows.filter(pl.col("split") == part) for part in ("train", "test")]
    return tuple(part[name].to_list() for part in parts for name in ("text", "label"))  # type: ignore[return-value]


def reuters(folder: Path) -> tuple[list[str], list[str], list[str], list[str]]:
    """As ``newsgroups``: title and body of the documents of one topic, in the ModApte split."""
    rows = pl.read_parquet(folder / "reuters21578.parquet").filter(pl.col("topics").list.len() == 1)
    rows = rows.select(
        "modapte",
        text=pl.concat_str(pl.col("title").fill_null(""), pl.col("body").fill_null(""), separator="\n"),
        label=pl.col("topics").list.first(),
    )
    parts = [rows.filter(pl.col("modapte") == part) for part in ("train", "test")]
    return tuple(part[name].to_list() for part in parts for name in ("text", "label"))  # type: ignore[return-value]


SETS = {"20newsgroups": newsgroups, "reuters": reuters}


def told(name: str, codes: np.ndarray, labels: np.ndarray, began: float) -> None:
    found = topical.precisions(codes, labels, NUMBERS).mean(0)
    print(
        f"| {name} | {' | '.join(f'{value:.3f}' for value in found)} | {time.process_time() - began:.0f} |", flush=True
    )


def quality(name: str, topics: np.ndarray, labels: np.ndarray, leaders: np.ndarray, counts: np.ndarray) -> None:
    found = topical.table(topics, labels)
    values = (
        topical.mutual_information(found),
        topical.purity(found),
        topical.coherence(leaders, counts),
        topical.diversity(leaders),
    )
    print(f"| {name} | {' | '.join(f'{value:.3f}' for value in values)} |", flush=True)


def measure(args: argparse.Namespace, name: str) -> None:
    texts, _, asked, names = SETS[name](args.data)
    labels = np.unique(names, return_inverse=True)[1]
    encoding = words.learn(pl.Series(texts))
    learnt, judged = (words.count(pl.Series(part), encoding) for part in (texts, asked))
    rare = topical.rarity(learnt)
    plain = topical.tf_idf(learnt, rare), topical.tf_idf(judged, rare)
    print(f"\n{name}: {len(texts):,} documents learnt from, {len(asked):,} judge, {len(set(names))} labels\n")
    print(f"| nearest | {' | '.join(map(str, NUMBERS))} | CPU seconds |\n|---|{'---:|' * (len(NUMBERS) + 1)}")
    told("TF-IDF", plain[1].toarray(), labels, time.process_time())
    kept: list[Callable[[], None]] = []
    for length in args.lengths:
        began = time.process_time()
        reduced = TruncatedSVD(length, random_state=0).fit(plain[0])
        told(f"latent semantic analysis, {length}", reduced.transform(plain[1]), labels, began)
        for network in args.networks:
            began = time.process_time()
            options = {"latent_dim": length, "epochs": args.epochs}
            if network == "autoencoder":
                options["hidden"] = [500, 250, 125]
            model = nervura.TopicModel(network, options, topics=args.topics, validation_share=0.1).fit(texts)
            codes = model.encode(asked)
            told(f"{network}, {length}", codes, labels, began)
            leaders = topical.leading(topical.words_of_topics(learnt, model.transform(texts)))
            topics = model.problem_.mixture(codes).argmax(1)
            kept.append(
                lambda title=f"{network}, {length}", topics=topics, leaders=leaders: quality(
                    title, topics, labels, leaders, learnt
                )
            )
    print(f"\n| {args.topics} topics | mutual information | purity | NPMI | diversity |\n|---|---:|---:|---:|---:|")
    for print_it in kept:
        print_it()
    found = TruncatedSVD(128, random_state=0).fit(plain[0])
    mixture = Mixture.of(found.transform(plain[0]), args.topics)
    given = mixture(found.transform(plain[0]))
    leaders = topical.leading(topical.words_of_topics(learnt, given))
    quality("mixture on LSA, 128", mixture(found.transform(plain[1])).argmax(1), labels, leaders, learnt)
    factors = NMF(args.topics, init="nndsvda", max_iter=200, random_state=0).fit(plain[0])
    quality("NMF", factors.transform(plain[1]).argmax(1), labels, topical.leading(factors.components_), learnt)
    drawn = LatentDirichletAllocation(
        args.topics, learning_method="online", batch_size=256, max_iter=args.passes, random_state=0
    ).fit(learnt)
    quality("LDA", drawn.transform(judged).argmax(1), labels, topical.leading(drawn.components_), learnt)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument("--lengths", nargs="*", type=int, default=[10, 30, 128])
    parser.add_argument("--networks", nargs="*", default=["contrastive_autoencoder"])
    parser.add_argument("--topics", type=int, default=50)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--passes", type=int, default=10, help="over the documents, of LDA")
    args = parser.parse_args()
    for name in args.sets:
        measure(args, name)


if __name__ == "__main__":
    main()
