"""The commands on runs that are over: parse, call, print."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from harness.bound import exposures_needed
from harness.cli_options import EPILOG, NEW_FILE, Number, criteria_options, language_option
from harness.criteria_text import add_options, read_criteria
from harness.evidence.ledger import LedgerError, read_run, write_private
from harness.evidence.purge import kept_documents, remove
from harness.gate import decide, examine
from harness.report.language import choose_language


@click.command(epilog=EPILOG)
@click.argument("directory", nargs=-1, required=True, type=click.Path(path_type=Path))
@criteria_options
@click.option("--junit", type=NEW_FILE, help="write JUnit XML to this file")
@click.option("--markdown", type=NEW_FILE, help="write a summary in Markdown to this file")
@click.option("--reveal", is_flag=True, help="name persons in these files instead of masking them")
@language_option
def gate(
    directory: Sequence[Path],
    criteria: Path | None,
    maximum: Sequence[str],
    minimum: Sequence[str],
    confidence: float | None,
    freshness_limit: float | None,
    no_self_test: bool,
    junit: Path | None,
    markdown: Path | None,
    reveal: bool,
    lang: str | None,
) -> None:
    """Decide again on the run in DIRECTORY, from its ledger alone.

    Where segments of load processes were not collected, name their directories behind it. Criteria are those that the
    run was made with, or those of the file; single ones are added to them or replaced.
    """
    from harness.report.files import append_step_summary, junit_of, markdown_of, write_asked_for
    from harness.report.terminal import print_verdict

    asked = add_options(
        read_criteria(criteria) if criteria is not None else read_run(directory[0]).criteria,
        maximum=maximum,
        minimum=minimum,
        confidence=confidence,
        freshness_limit_s=freshness_limit,
        self_test=False if no_self_test else None,
    )
    decision, language = examine(*directory, criteria=asked), choose_language(lang)
    print_verdict(decision.verdict, directory[0], language)
    if junit is not None:
        write_asked_for(junit, junit_of(decision, language, reveal=reveal))
    if markdown is not None:
        write_asked_for(markdown, markdown_of(decision, language, reveal=reveal).encode())
    append_step_summary(markdown_of(decision, language))
    sys.exit(decision.verdict.exit_code)


@click.command(
    epilog="Exit codes: 0 the report was written, whatever the verdict in it; 2 usage or configuration error."
)
@click.argument("directory", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--reveal", is_flag=True, help="show persons by name; unless given they are hidden behind aliases")
@click.option("--out", type=click.Path(path_type=Path), help="HTML file; report.html in the run directory unless given")
@language_option
def report(directory: Sequence[Path], reveal: bool, out: Path | None, lang: str | None) -> None:
    """Write the report of the run in DIRECTORY, one HTML file, from its ledger alone.

    Where segments of load processes were not collected, name their directories behind it.
    """
    from harness.report.files import HTML_FILE, html_of

    path = directory[0] / HTML_FILE if out is None else out
    decision = examine(*directory)
    page = html_of(directory[0], decision, choose_language(lang), reveal=reveal)
    try:
        write_private(path, page)
    except LedgerError as error:
        raise LedgerError(f"{error}; name another file with --out") from error
    click.echo(f"{decision.verdict.verdict} · {path}")


@click.command(
    epilog="Exit codes: 0 B is no worse and was exercised at least as much; 1 B is worse; 2 usage or configuration "
    "error; 3 B was exercised less, or one of the runs is not conclusive. 1 before 3."
)
@click.argument("run_a", type=click.Path(path_type=Path))
@click.argument("run_b", type=click.Path(path_type=Path))
@click.option(
    "--tolerance",
    type=Number(0, 1, max_open=True),
    default=0.0,
    show_default=True,
    help="share by which B may have been exercised less",
)
@click.option("--json", "json_", type=NEW_FILE, help="write the comparison to this file, as JSON")
@click.option("--markdown", type=NEW_FILE, help="write it to this file, in Markdown")
@language_option
def compare(
    run_a: Path, run_b: Path, tolerance: float, json_: Path | None, markdown: Path | None, lang: str | None
) -> None:
    """Say what changed from RUN_A to RUN_B, whether B is worse, and whether it was exercised at least as much.

    Both are decided again from their ledgers, each by its own criteria.
    """
    from harness.compare import compare as compare_runs
    from harness.report.comparison import comparison_json, comparison_markdown, print_comparison
    from harness.report.files import append_step_summary, write_asked_for

    directories = str(run_a), str(run_b)
    comparison = compare_runs(examine(run_a), examine(run_b), directories=directories, tolerance=tolerance)
    language = choose_language(lang)
    print_comparison(comparison, language)
    page = comparison_markdown(comparison, language)
    if json_ is not None:
        write_asked_for(json_, comparison_json(comparison))
    if markdown is not None:
        write_asked_for(markdown, page.encode())
    append_step_summary(page)
    sys.exit(comparison.exit_code)


@click.command()
@click.option("--rate", type=Number(1e-15, 1, max_open=True), required=True, help="to be shown, per exposure")
@click.option("--confidence", type=Number(0.5, 1, max_open=True), default=0.95, show_default=True)
@click.option(
    "--like", type=click.Path(path_type=Path), help="an earlier run, whose exposure rate says how long it takes"
)
@language_option
def plan(rate: float, confidence: float, like: Path | None, lang: str | None) -> None:
    """Say how many exposures without a misissuance show that at most RATE of them end in one, and how long it takes."""
    language = choose_language(lang)
    needed = exposures_needed(rate, confidence)
    click.echo(language.text("terminal.plan_needed", needed=needed, rate=rate, confidence=confidence))
    if like is None:
        return
    met, run = decide(like).exposures, read_run(like)
    # One that ended before its plan did not take so long; of one that was killed only the plan is known.
    took_s = min((taken_s for taken_s in (run.planned_s, run.elapsed_s) if taken_s), default=0.0)
    if not met or not took_s:
        raise click.UsageError(f"--like: the run in {like} met {met} exposures in {took_s:g} s; name one that met some")
    time_s = needed * took_s / met
    click.echo(language.text("terminal.plan_time", met=met, planned_s=took_s, like=like, time_s=time_s))


@click.command(
    epilog="Exit codes: 0 nothing is kept any more; 2 usage, a directory that is no run, or a file that stays."
)
@click.argument("directory", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="show what would be removed, and remove nothing")
@language_option
def purge(directory: Sequence[Path], dry_run: bool, lang: str | None) -> None:
    """Remove the documents that the runs in DIRECTORY have kept of incidents; ledger and verdict stay.

    A report that shows them is written again, without pictures and with persons masked.
    """
    from harness.report.files import HTML_FILE, html_of

    language = choose_language(lang)
    found = {run: kept_documents(run) for run in dict.fromkeys(directory)}  # all are runs, or nothing is removed
    for run, documents in found.items():
        for document in documents:
            if not dry_run:
                remove(document)
            click.echo(str(document))
        report_file = run / HTML_FILE
        if not dry_run and report_file.is_file() and not report_file.is_symlink():
            write_private(report_file, html_of(run, examine(run), language))
    number = sum(map(len, found.values()))
    click.echo(language.text("terminal.would_be_purged" if dry_run else "terminal.purged", number=number))
