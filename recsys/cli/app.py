"""The commands and their options. Each imports what it needs when it runs, so that help comes at once."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from recsys import __version__
from recsys.cli.exits import packages_of, run

SEVERAL = ("--set", "--seeds")  # options that take all values up to the next option

app = typer.Typer(
    name="recsys",
    epilog="Exit codes: 0 done, 2 a setting or an option, 3 data, 4 training, 5 a bundle, 6 or 7 a store, 10 retrained "
    "and not good enough to publish, 11 another retraining is under way, 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)

ConfigFile = Annotated[
    Path, typer.Option("--config", metavar="FILE", help="YAML config; the folder configs/ has examples.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE ...",
        help="Override keys of the config, for example --set training.epochs=3 seed=1.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="One line of JSON on stdout, for programs; the rest on stderr.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """From a shop's reviews or event log to a recommender served over HTTP."""


@app.command()
def inspect(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Event logs, catalogues, users: files, globs or folders.")
    ],
    output: Annotated[
        Path | None, typer.Option(metavar="FILE.yaml", help="Also write the proposed config; no file is overwritten.")
    ] = None,
) -> None:
    """Look at files of any shop, and propose a config that reads them.

    Reads a sample of each: a log of any size takes seconds.
    """
    with packages_of("train"):
        from recsys.inspect.inspection import inspect as look_at_files
    look_at_files(files, output)


@app.command()
def prepare(
    config: ConfigFile,
    overrides: Overrides = None,
    allow_truncated: Annotated[
        bool, typer.Option("--allow-truncated", help="Read what a cut-off compressed file holds.")
    ] = False,
) -> None:
    """Turn raw review files or event logs into a prepared dataset."""
    with packages_of("train"):
        from recsys.config import load_config
        from recsys.prepare.prepare import prepare as write_dataset
    settings = [*(overrides or []), *(["data.allow_truncated=true"] if allow_truncated else [])]
    write_dataset(load_config(config, settings))


@app.command()
def train(
    config: ConfigFile,
    overrides: Overrides = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run that was interrupted.")] = False,
) -> None:
    """Train a model on a prepared dataset and export it as a bundle."""
    with packages_of("train"):
        from recsys.config import load_config
    settings = load_config(config, overrides or [])
    with packages_of("train"):  # TensorFlow loads after arguments and config have been checked
        from recsys.train.job import train as train_and_export
    train_and_export(settings, resume=resume)


@app.command(
    epilog="Exit codes: 0 published (or written as a candidate), 10 the bundle in use stays since the new one was "
    "refused, 11 another run for this bundle is under way, 2 a setting or an option, 3 data, 4 training, 5 a bundle, 6 "
    "a store, 7 a store that does not answer."
)
def retrain(config: ConfigFile, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Prepare, train, compare with the bundle in use, and publish what is good enough.

    A run that was killed is gone on with by the next. Until the end nothing changes that a server reads.
    """
    with packages_of("train"):
        from recsys.cli.retraining import retrain_and_say
        from recsys.config import load_config
    raise typer.Exit(retrain_and_say(lambda: load_config(config, overrides or []), as_json=as_json))


@app.command(
    epilog="Exit codes: 0 whatever was found, 12 the band of --fail-on is reached, 2 a setting or an option, 3 data, "
    "5 a bundle."
)
def drift(
    config: ConfigFile,
    overrides: Overrides = None,
    as_json: AsJson = False,
    fail_on: Annotated[
        Literal["watch", "alert"] | None,
        typer.Option(help="Band from which on the exit code is 12.", show_default="it is 0 whatever was found"),
    ] = None,
) -> None:
    """Say how far what people do now has moved from what the bundle in use was trained on.

    Now is what the store of the config has since the bundle's last interaction, or else the prepared dataset.
    """
    with packages_of("train"):
        from recsys.cli.drifting import measure_and_say
        from recsys.config import load_config
    raise typer.Exit(measure_and_say(load_config(config, overrides or []), as_json=as_json, fail_on=fail_on))


@app.command("off-policy")
def off_policy(
    config: ConfigFile,
    overrides: Overrides = None,
    bundle: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Bundle, or one version of it.", show_default="the config's current bundle"),
    ] = None,
    days: Annotated[float, typer.Option(min=0.01, help="Days before now whose lists are looked at.")] = 28.0,
    as_json: AsJson = False,
) -> None:
    """Say what lists in drawn orders would have been worth in the order of a bundle, or why that cannot be told.

    Reads the served log of the config's store; a server draws orders with the setting randomised_share.
    """
    with packages_of("train"):
        from recsys.cli.other_order import judge_and_say
        from recsys.config import load_config
    judge_and_say(load_config(config, overrides or []), bundle, days, as_json=as_json)


@app.command()
def promote(
    config: ConfigFile,
    version: Annotated[str, typer.Argument(metavar="VERSION", help="Name of a version below the bundle's folder.")],
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Make a version current: a candidate, one that the gate refused, or an older one.

    Its files are checked first. A running server takes it at its next look.
    """
    with packages_of("train"):
        from recsys.cli.retraining import switch_and_say
        from recsys.config import load_config
        from recsys.retrain.switching import promote as make_current
    switch_and_say(lambda: make_current(load_config(config, overrides or []).bundle_path, version), as_json=as_json)


@app.command()
def rollback(
    config: ConfigFile,
    to: Annotated[
        str | None, typer.Option(metavar="VERSION", help="To this one.", show_default="the one in use before")
    ] = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Make the version current that was in use before. A second rollback goes further back.

    Its files are checked first. A running server takes it at its next look.
    """
    with packages_of("train"):
        from recsys.cli.retraining import switch_and_say
        from recsys.config import load_config
        from recsys.retrain.switching import rollback as go_back
    switch_and_say(lambda: go_back(load_config(config, overrides or []).bundle_path, to), as_json=as_json)


@app.command()
def evaluate(
    context: typer.Context,
    config: ConfigFile,
    overrides: Overrides = None,
    bundle: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Bundle, or one version of it.", show_default="the config's current bundle"),
    ] = None,
    split: Annotated[Literal["test", "validation"], typer.Option(help="Interactions to predict.")] = "test",
    retrievers: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Sources to compare beside the two-tower and popularity.",
            show_default="all that the bundle holds",
        ),
    ] = None,
    seeds: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR ...",
            help="Further bundles, trained on the same dataset with other seeds: the report shows the spread.",
        ),
    ] = None,
    recommendations: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.parquet",
            help="Also write the top 100 of every evaluated user: user_id, item_id, rank, score.",
        ),
    ] = None,
    figures: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also write the main figures as SVG files.")
    ] = None,
    rules: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.yaml", help="Also measure what each of these rules costs and brings, and curves over knobs."
        ),
    ] = None,
    scenario: Annotated[
        str | None, typer.Option(metavar="NAME", help="Scenario of the requests that the rules are measured for.")
    ] = None,
    outcomes: Annotated[
        str | None, typer.Option(metavar="STORE", help="Also tell what came of the lists in this store: its URL.")
    ] = None,
    outcomes_days: Annotated[
        float, typer.Option(metavar="DAYS", min=0.01, help="Lists of so many days before now.")
    ] = 28.0,
) -> None:
    """Measure a bundle on held-out interactions; write a report.

    What it serves stands beside every source it holds, ranked over the whole catalogue.
    Writes report.html and metrics.json into the report folder of the config (evaluation.report_dir).
    """
    with packages_of("train"):
        from recsys.cli.evaluation import evaluate_and_report
        from recsys.config import load_config
    evaluate_and_report(
        load_config(config, overrides or []),
        command=shlex.join(["recsys", *context.obj]),
        bundle=bundle,
        split=split,
        retrievers=None if retrievers is None else [name for name in retrievers.split(",") if name],
        seeds=seeds or [],
        recommendations=recommendations,
        figures=figures,
        rules=rules,
        scenario=scenario,
        store=outcomes,
        outcome_days=outcomes_days,
    )


@app.command()
def outcomes(
    store: Annotated[str, typer.Option(metavar="URL", help="Of the store, or the path of an SQLite file.")],
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Lists served from then on.", show_default="7 days before until"),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Lists served before then.", show_default="now")
    ] = None,
    by: Annotated[
        str,
        typer.Option(
            metavar="A,B",
            help="Tables by model, bundle, variant, source, position, segment, scenario, fallback, explain or day.",
        ),
    ] = "model,source,day",
    experiment: Annotated[
        str | None, typer.Option(metavar="KEY", help="Lists made for this experiment alone, of any version.")
    ] = None,
    attribution_days: Annotated[
        float, typer.Option(metavar="DAYS", min=0.001, help="Longest time from a list to its outcome.")
    ] = 7.0,
    as_json: AsJson = False,
) -> None:
    """Tell what came of the lists that a store has kept: seen, clicked, put into a cart, bought."""
    with packages_of("serve"):
        from recsys.cli.outcomes import tell
    tell(
        store,
        since=since,
        until=until,
        by=[name for name in by.split(",") if name],
        experiment=experiment,
        attribution_days=attribution_days,
        wants_json=as_json,
    )


@app.command(
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    options_metavar="[OPTIONS; see recsys serve --help]",
)
def serve(context: typer.Context) -> None:
    """Serve recommendations from a bundle over HTTP."""
    with packages_of("serve"):
        from serve.__main__ import main as serve_bundle
    raise typer.Exit(serve_bundle(context.args, program="recsys serve"))


@app.command()
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Keep the server and its page up until Ctrl-C.")] = False,
) -> None:
    """Show all of it on a synthetic shop, from raw reviews to HTTP.

    Takes minutes; writes into the folders data, saved_model and configs of the current one.
    """
    with packages_of("serve,train"):
        from recsys.cli.demo import main as show
    raise typer.Exit(show(keep=keep))


@app.command()
def sample(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER",
            help="Where to write reviews_sample.json.gz, meta_sample.json.gz and orders_sample.csv.gz.",
        ),
    ],
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    users: Annotated[int, typer.Option(min=1, help="Users of the shop.")] = 2000,
    items: Annotated[int, typer.Option(min=1, help="Items of the shop.")] = 1000,
    reviews: Annotated[int, typer.Option(min=1, help="Distinct pairs of user and item.")] = 20000,
) -> None:
    """Write the raw files of the synthetic sample shop."""
    from recsys.prepare.sample import write_orders, write_sample

    size = seed, users, items, reviews
    for path in (*write_sample(folder, *size), write_orders(folder, *size)):
        print(f"{path} (synthetic)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` names, those of the process by default; the exit code of the program."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    return run(lambda: app(list(repeated(arguments)), prog_name="recsys", obj=arguments))


def repeated(arguments: Sequence[str]) -> Iterator[str]:
    """The arguments with an option that takes several values written before each of them.

    `--set a=1 b=2` gives `--set a=1 --set b=2`.
    """
    option, values = None, 0
    for argument in arguments:
        if argument.startswith("-"):
            option, values = (argument, 0) if argument in SEVERAL else (None, 0)
        elif option is not None:
            values += 1
            if values > 1:
                yield option
        yield argument
