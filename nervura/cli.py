"""The command line. Nothing heavy is imported before a command is known to need it."""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from nervura import __version__
from nervura.arguments import Parser, amount, language, level, minutes, whole_number
from nervura.errors import NervuraError, OptionError, did_you_mean

EXIT_BAD_INPUT, EXIT_NOT_BETTER, EXIT_INTERRUPTED = 2, 3, 130
MOST_NOTES = 10
NETWORK = "network"
"""What ``--use`` means by a run's own network."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit status is 0, 2 for input that a person can mend, 3 for a challenger that is not better
    than its champion where that was asked, or 130 after Ctrl-C."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        given = _parse(words)
    except OptionError as error:
        return _fail("--json" in words, str(error))
    # TensorFlow tells of instruction sets and missing graphics cards on every start.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    warnings.showwarning = _show_warning
    try:
        return given.command(given) or 0
    except NervuraError as error:
        return _fail(given.json, str(error))
    except KeyboardInterrupt as stop:
        hint = "".join(f" Go on with it by: {note}" for note in getattr(stop, "__notes__", ()))
        return _fail(given.json, f"Stopped.{hint}", EXIT_INTERRUPTED)
    except BrokenPipeError:
        # Whoever read the output has closed it, as 'head' does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        return _fail(given.json, f"The system refused: {error}. Free some space, or write to another place with --out.")
    return 0


def _fail(as_json: bool, text: str, status: int = EXIT_BAD_INPUT) -> int:
    if as_json:
        print(json.dumps({"error": text}, ensure_ascii=False))
    print(f"nervura: {text}", file=sys.stderr)
    return status


def _parse(words: list[str]) -> argparse.Namespace:
    """What the words ask for.

    Raises:
        OptionError: they are not well formed.
    """
    given, unknown = _parser().parse_known_args(words)
    if unknown:
        options = list(given.parser._option_string_actions)
        hint = did_you_mean(unknown[0], options) if unknown[0].startswith("-") else "It is one word too many."
        raise OptionError(
            f"'{given.parser.prog}' does not know '{unknown[0]}'. {hint} Write: {given.parser.prog} --help"
        )
    return given


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="nervura",
        description="From your data to a Keras network that you can read, trust and ship.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"nervura {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")

    def add(name: str, run: Callable[[argparse.Namespace], int | None], help: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".", allow_abbrev=False)
        command.set_defaults(command=run, parser=command)
        command.add_argument("--json", action="store_true", help="print one JSON object, for programs")
        return command

    train = add("train", _train, "train a network on a table, pictures or documents, judge it and write a report")
    _add_data(train)
    train.add_argument(
        "--from",
        dest="from_run",
        metavar="RUN",
        help="an earlier run: its question and its network again on these rows, from its weights or afresh, and judged beside it",
    )
    train.add_argument(
        "--only-if-better",
        action="store_true",
        help=f"with --from: exit with {EXIT_NOT_BETTER} unless the new network is better than that of RUN beyond noise",
    )
    train.add_argument(
        "--network",
        metavar="N",
        help="a member of the zoo (default: tabm for tables, feed_forward with documents, airbench for pictures, see the docs)",
    )
    train.add_argument(
        "--minutes", type=minutes, metavar="M", help="time budget, from the start of this command to its end"
    )
    train.add_argument(
        "--trials",
        type=whole_number,
        metavar="N",
        help="search N trainings of networks and options, the first included (default: what --minutes leaves time for)",
    )
    train.add_argument(
        "--level",
        type=level,
        metavar="L",
        help="share of new rows whose truth the interval or set beside each answer is to hold (default: 0.9); of "
        "anomalies, the share of usual rows that raise no alarm (default: 0.99)",
    )
    train.add_argument("--out", metavar="DIR", help="the run's directory (default: runs/<source>-<network>-<number>)")
    train.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="OPTION=VALUE",
        help="an option of the network, see 'nervura zoo N', or of the problem, see the docs",
    )
    train.add_argument(
        "--pretrain",
        action="store_true",
        help="learn from the rows without a target first, and say what that gained (default network: deep_feed_forward "
        "for tables, convolutional for pictures)",
    )
    train.add_argument(
        "--track",
        action="append",
        default=[],
        metavar="TRACKER",
        help="tell of the training elsewhere too: mlflow or tensorboard; may be repeated",
    )
    _add_language(train)

    check = add("check", _check, "say, before any training, whether a network is worth it")
    _add_data(check)

    predict = add("predict", _predict, "predict new rows with a run")
    predict.add_argument("run", metavar="RUN")
    predict.add_argument("source", metavar="SOURCE")
    predict.add_argument("--out", metavar="FILE", help="a .csv or .parquet file (default: CSV on the screen)")
    predict.add_argument(
        "--keep", action="append", default=[], metavar="COL", help="a column to carry over; may be repeated"
    )
    predict.add_argument("--table", metavar="T", help="table, sheet or query, where the source holds several")
    _add_use(predict)

    similar = add("similar", _similar, "find the documents of a run that are most like a text")
    similar.add_argument("run", metavar="RUN")
    similar.add_argument("text", metavar="TEXT_OR_FILE", help="a text in quotes, or a text file")
    similar.add_argument(
        "--count", type=whole_number, default=10, metavar="N", help="how many documents (default: %(default)s)"
    )

    evaluate = add("evaluate", _evaluate, "show a run's scores, or judge it on other rows")
    evaluate.add_argument("run", metavar="RUN")
    evaluate.add_argument("source", nargs="?", metavar="SOURCE")
    evaluate.add_argument("--table", metavar="T", help="table, sheet or query, where the source holds several")
    _add_use(evaluate)

    explain = add("explain", _explain, "show which columns a run's predictions rest on, or which pictures it mistakes")
    explain.add_argument("run", metavar="RUN")

    report = add("report", _report, "write a run's report again")
    report.add_argument("run", metavar="RUN")
    _add_language(report)

    export = add("export", _export, "write a run in another form")
    export.add_argument("run", metavar="RUN")
    export.add_argument(
        "--to",
        default="code",
        metavar="FORMAT",
        help="code, notebook, keras, onnx, savedmodel or litert (default: %(default)s)",
    )
    export.add_argument("--out", metavar="DIR", help="where to (default: RUN/exports/FORMAT)")
    _add_use(export)
    _add_language(export, "a notebook")

    pack = add("pack", _pack, "write a run as one file that can be sent and kept")
    pack.add_argument("run", metavar="RUN")
    pack.add_argument("--out", metavar="FILE", help="where to (default: RUN.nervura, beside the run)")
    _add_language(pack)

    serve = add("serve", _serve, "serve a run over HTTP: JSON, CSV, pictures, and a page for people")
    serve.add_argument("run", metavar="RUN")
    serve.add_argument("--host", default="127.0.0.1", metavar="H", help="address to listen at (default: %(default)s)")
    serve.add_argument(
        "--port", type=whole_number, default=8000, metavar="P", help="0 takes a free one (default: %(default)s)"
    )
    serve.add_argument(
        "--workers", type=whole_number, default=1, metavar="N", help="processes that answer (default: %(default)s)"
    )
    serve.add_argument(
        "--abstain-above",
        type=amount,
        metavar="K",
        help="give no answer where the prediction set holds more than K classes, or the interval is wider than K",
    )
    serve.add_argument(
        "--max-rows", type=whole_number, default=10_000, metavar="N", help="of a request (default: %(default)s)"
    )
    serve.add_argument(
        "--max-megabytes", type=amount, default=16.0, metavar="M", help="of a request (default: %(default)g)"
    )
    serve.add_argument(
        "--seconds",
        type=amount,
        default=30.0,
        metavar="S",
        help="that a request may take to arrive, and its answer to be made (default: %(default)g)",
    )
    serve.add_argument(
        "--lang",
        default="en",
        type=language,
        metavar="LANG",
        help="language of the page and of messages: en or pt (default: %(default)s)",
    )
    _add_use(serve)

    compare = add("compare", _compare, "set runs side by side")
    compare.add_argument("runs", nargs="+", metavar="RUN")

    zoo = add("zoo", _zoo, "list the networks, or show the page of one")
    zoo.add_argument("network", nargs="?", metavar="NETWORK")

    resume = add("resume", _resume, "go on with a run that was stopped")
    resume.add_argument("run", metavar="RUN")
    return parser


def _add_data(command: argparse.ArgumentParser) -> None:
    command.add_argument("source", metavar="SOURCE", help="a file, folder, SQL address or toy:NAME")
    command.add_argument(
        "--target", metavar="COL", help="the column to predict, or to judge by where none is predicted"
    )
    command.add_argument(
        "--problem",
        metavar="P",
        help="binary, multiclass or regression (default: found out); embedding, clustering, anomaly and topics, which need no "
        "target",
    )
    command.add_argument(
        "--metric", metavar="NAME", help="what to optimise and decide by (default: log_loss, for values rmse)"
    )
    command.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="NAME=KIND",
        help="number, category, boolean, datetime, text or document",
    )
    command.add_argument(
        "--drop", action="append", default=[], metavar="NAME", help="a column to leave out; may be repeated"
    )
    command.add_argument("--group", metavar="COL", help="rows of equal value stay on one side of the split")
    command.add_argument("--time", metavar="COL", help="the latest rows by this column become the test rows")
    command.add_argument("--test", metavar="FILE", help="test rows of their own")
    command.add_argument(
        "--size", metavar="N", help="pixels that pictures are brought to, N or HEIGHTxWIDTH (default: by their sizes)"
    )
    command.add_argument("--table", metavar="T", help="table, sheet or query, where the source holds several")
    command.add_argument(
        "--seed",
        type=whole_number,
        default=0,
        metavar="N",
        help="of split, weights and row order (default: %(default)s)",
    )


def _add_language(command: argparse.ArgumentParser, what: str = "the report") -> None:
    command.add_argument(
        "--lang",
        default="en",
        type=language,
        metavar="LANG",
        help=f"language of {what}: en or pt (default: %(default)s)",
    )


def _add_use(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--use",
        metavar="MODEL",
        default=NETWORK,
        help="network, best, simplest, or the name of a model that the run was judged with (default: %(default)s)",
    )


def _data(given: argparse.Namespace) -> dict[str, Any]:
    return {
        "problem": given.problem,
        "metric": given.metric,
        "kinds": _pairs(given.column, "--column NAME=KIND"),
        "drop": given.drop,
        "group": given.group,
        "time": given.time,
        "test": given.test,
        "table": given.table,
        "size": given.size,
        "seed": given.seed,
    }


def _pairs(given: list[str], form: str) -> dict[str, str]:
    for pair in given:
        if "=" not in pair:
            raise OptionError(f"Write {form}; given was '{pair}'.")
    return dict(pair.rsplit("=", 1) for pair in given)


def _train(given: argparse.Namespace) -> int:
    if given.only_if_better and given.from_run is None:
        raise OptionError("A network is better than that of an earlier run. Write --only-if-better with --from RUN.")
    import nervura
    from nervura.progress import Display

    with Display(sys.stderr, quiet=given.json) as display:
        run = nervura.train(
            given.source,
            given.target,
            from_run=given.from_run,
            **_data(given),
            network=given.network,
            options=_pairs(given.set, "--set OPTION=VALUE"),
            minutes=given.minutes,
            trials=given.trials,
            level=given.level,
            out=given.out,
            pretrain=given.pretrain,
            track=given.track,
            lang=given.lang,
            watchers=[display.epoch],
            tell=display.step,
        )
    _show_run(given, run)
    not_better = given.only_if_better and run.evaluation["champion"]["verdict"] != "better"
    return EXIT_NOT_BETTER if not_better else 0


def _resume(given: argparse.Namespace) -> None:
    import nervura
    from nervura.progress import Display

    with Display(sys.stderr, quiet=given.json) as display:
        run = nervura.resume(given.run, watchers=[display.epoch], tell=display.step)
    _show_run(given, run)


def _show_run(given: argparse.Namespace, run: Any) -> None:
    problem = run.need("problem")
    if given.json:
        _print_json(
            {"run": str(run.path), "report": str(run.path / "report.html"), **run.evaluation, "problem": problem}
        )
        return
    print(f"Problem: {problem['name']}, because {problem['reason']}")
    for name, reason in problem.get("possible", {}).items():
        print(f"Without a target: {name}, since {reason}" + ("" if name == problem["name"] else f" (--problem {name})"))
    rows = run.need("split")["rows"]
    print("Rows: " + ", ".join(f"{count:,} {part}" for part, count in rows.items() if count))
    design, told = run.need("design"), run.need("run")
    print(f"Network: {design['network']}, {design['parameters']:,} parameters. {told['decisions'][0]}")
    for warning in _warnings(run):
        print(f"Note: {warning}")
    from nervura.messages import text
    from nervura.schema import text_table
    from nervura.summarising import recommended
    from nervura.workflow import _rounded

    print(f"\nOn the {rows['test']:,} test rows, decided by {problem['metric']}:\n")
    print(text_table(_rounded(run.scores())))
    print(f"\n{run.verdict}\n")
    if "champion" in run.evaluation:
        from nervura.rendering import told_of_champion

        print(" ".join(told_of_champion(run.evaluation["champion"])) + "\n")
    if "pretraining" in run.evaluation:
        from nervura.rendering import told_of_pretraining

        print(f"{told_of_pretraining(run.evaluation['pretraining'])}\n")
    for one in recommended(run):
        print(text("verdict.use", name=one["name"], command=one["command"]))
    print(f"Report: {run.path / 'report.html'}\n{run.path}")


def _warnings(run: Any) -> list[str]:
    from nervura.rendering import told_of_imbalance
    from nervura.schema import NAMES_DOCUMENTS, NAMES_PARTS, NAMES_PICTURES, Schema

    schema = Schema.from_json(run.need("schema"))
    no_news = (NAMES_PARTS, NAMES_PICTURES, NAMES_DOCUMENTS)
    told = [column for column in schema.aside if column.reason not in no_news]
    aside = [f"{column.name} is set aside: {column.reason}" for column in told]
    left_out = run.evaluation["notes"]
    imbalance = run.evaluation.get("imbalance")
    return [
        *run.need("run")["source"]["notes"],
        *_first(aside, "columns set aside"),
        *_first(schema.warnings, "warnings about columns"),
        *run.need("split")["notes"],
        *left_out,
        *([told_of_imbalance(imbalance)] if imbalance else []),
    ]


def _first(lines: list[str], what: str) -> list[str]:
    more = len(lines) - MOST_NOTES
    return lines if more <= 0 else [*lines[:MOST_NOTES], f"{more} more {what}; the report names them."]


def _check(given: argparse.Namespace) -> None:
    import nervura

    found = nervura.check(given.source, given.target, **_data(given))
    if given.json:
        _print_json(found.to_json())
    else:
        print(found)


def _predict(given: argparse.Namespace) -> None:
    import nervura
    from nervura.writing import write_table

    predictions = nervura.load(given.run).predict(given.source, keep=given.keep, table=given.table, use=given.use)
    if given.out is None:
        if given.json:
            _print_json({"predictions": predictions.to_dicts()})
        else:
            sys.stdout.write(predictions.write_csv())
        return
    write_table(predictions, given.out)
    if given.json:
        _print_json({"rows": predictions.height, "out": given.out})
    else:
        print(f"{predictions.height:,} rows\n{given.out}")


def _similar(given: argparse.Namespace) -> None:
    import nervura
    from nervura.schema import text_table

    found = nervura.load(given.run).similar(given.text, given.count)
    if given.json:
        _print_json({"documents": found.to_dicts()})
    else:
        print(text_table(found.to_dicts()))


def _evaluate(given: argparse.Namespace) -> None:
    import nervura

    run = nervura.load(given.run)  # decides the backend before Keras is imported
    from nervura.evaluation import evaluate_on, scores_of
    from nervura.predicting import called
    from nervura.schema import text_table

    if given.source is None and given.use == NETWORK:
        evaluation = run.evaluation  # says so where there is none
        _print_json(evaluation) if given.json else print(run)
        return
    if given.source is None:
        rows = {"test": run.evaluation["rows"]["test"]}
        found: dict[str, Any] = {"model": called(run, given.use), "rows": rows, "test": scores_of(run, given.use)}
    else:
        found = evaluate_on(run, given.source, given.table, given.use)
    if given.json:
        _print_json(found)
        return
    by = "" if given.use == NETWORK else f", answered by {found['model']}"
    rows = sum(found["rows"].values())
    print(f"{rows:,} row{'' if rows == 1 else 's'}{by}")
    print(text_table([{"metric": name, **score} for name, score in found["test"].items()]))


def _explain(given: argparse.Namespace) -> None:
    import nervura
    from nervura.schema import text_table

    explanation = nervura.load(given.run).need("explanation")
    if given.json:
        _print_json(explanation)
    elif "findings" in explanation:
        for one in explanation["findings"]:
            print(f"{one['title'][0]}: {one['note'][0]}\n")
            names = [name for name, _ in one["columns"]]
            rows = [[cell[0] if isinstance(cell, list) else cell for cell in row] for row in one["rows"]]
            print(text_table([dict(zip(names, row, strict=True)) for row in rows]) + "\n" if rows else "")
    elif "mistakes" in explanation:
        print(f"The surest mistakes among {explanation['rows']:,} test pictures; the report shows them:")
        shown = ("name", "true", "predicted", "probability")
        print(text_table([{key: one[key] for key in shown if one[key] is not None} for one in explanation["mistakes"]]))
    else:
        print(f"How much worse {explanation['metric']} gets when a column's values are dealt out anew:")
        print(text_table(explanation["importance"]))


def _report(given: argparse.Namespace) -> None:
    from nervura.reporting import report
    from nervura.run import Run

    path = report(Run.open(given.run), given.lang)
    _print_json({"report": str(path)}) if given.json else print(path)


def _export(given: argparse.Namespace) -> None:
    import nervura

    path = nervura.load(given.run).export(given.to, given.out, given.use, given.lang)
    _print_json({"export": str(path)}) if given.json else print(path)


def _pack(given: argparse.Namespace) -> None:
    from nervura.packing import pack
    from nervura.run import Run

    path = pack(Run.open(given.run), given.out, given.lang)
    _print_json({"packed": str(path)}) if given.json else print(path)


def _serve(given: argparse.Namespace) -> None:
    from nervura.serving import serve

    serve(
        given.run,
        use=given.use,
        host=given.host,
        port=given.port,
        workers=given.workers,
        lang=given.lang,
        abstain_above=given.abstain_above,
        most_rows=given.max_rows,
        most_megabytes=given.max_megabytes,
        seconds=given.seconds,
    )


def _compare(given: argparse.Namespace) -> None:
    from nervura.comparing import compare
    from nervura.run import Run
    from nervura.schema import text_table

    rows = compare([Run.open(path) for path in given.runs])
    _print_json({"runs": rows}) if given.json else print(text_table(rows))


def _zoo(given: argparse.Namespace) -> None:
    import inspect

    from nervura.schema import text_table
    from nervura.zoo import zoo
    from nervura.zoo.base import describe_options

    if given.network is None:
        rows = [{"network": network.name, "summary": network.summary} for network in zoo]
        _print_json({"networks": rows}) if given.json else print(text_table(rows, width=100))
        return
    network = zoo.load(given.network)
    options = describe_options(network.Options)
    page = inspect.cleandoc(network.__doc__ or "")
    if given.json:
        _print_json({"network": network.name, "summary": network.summary, "page": page, "options": options})
        return
    print(f"{network.name}: {network.summary}\n\n{page}\n\nproblems: {', '.join(sorted(network.suits))}")
    print(f"inputs:   {', '.join(sorted(network.takes))}\n\n{text_table(options, width=90)}")


def _print_json(data: dict[str, Any]) -> None:
    from nervura.run import plain

    print(json.dumps(plain(data), ensure_ascii=False))


def _show_warning(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
    # Warnings of libraries speak to programmers; those of nervura are plain UserWarnings and speak to people.
    if category is UserWarning:
        print(f"Warning: {message}", file=sys.stderr)
