"""`wigwag demo`: watch two people talk end to end, through crashes."""

import click


@click.command(epilog="\b\nExamples:\n  wigwag demo\n  wigwag demo --json\n")
@click.option("--keep", is_flag=True, help="Leave the server running, to chat by hand.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object only.")
def demo(*, keep: bool, as_json: bool) -> None:
    """Watch two people talk end to end, through crashes.

    A server and two clients run as processes. They talk, one goes offline, the server
    and a client are killed while both write. At the end it is counted that no message
    was lost, doubled or moved, and everything that the server had is searched for
    texts and keys. Ends with 0 only if all of it holds.
    """
    from functools import partial

    import anyio

    from wigwag.demo._report import JSONReport, TerminalReport
    from wigwag.demo._stage import run_demo

    report = JSONReport() if as_json else TerminalReport()
    try:
        code = anyio.run(partial(run_demo, report, keeps_server=keep))
    except KeyboardInterrupt:
        raise click.exceptions.Exit(130) from None
    raise SystemExit(code)
