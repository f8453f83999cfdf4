"""What all client commands have in common: options, examples in the help, failures."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from wigwag.spec import ExitCode

Function = TypeVar("Function", bound=Callable[..., Any])


INTERRUPTED: Final = 130
"""128 + SIGINT, as shells have it."""


@dataclass(frozen=True, slots=True)
class Example:
    """A command line that works as it stands, and what it is for.

    Attributes:
        line: For a shell, with `wigwag` on the path; JOIN holds a join string.
        purpose: A few words.
    """

    line: str
    purpose: str


class ClientCommand(click.Command):
    """A command whose failures are one sentence, or one JSON object.

    Args:
        examples: Two of them end the help; a test runs each.
        attributes: As for `click.Command`.
    """

    def __init__(
        self,
        *,
        examples: tuple[Example, Example],
        **attributes: Any,  # noqa: ANN401 - click's own are not typed
    ) -> None:
        super().__init__(**attributes)
        self.examples = examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, unwrapped, so that they can be copied."""
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(f"  {example.line}  # {example.purpose}\n")

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 - click's own are not typed
    ) -> click.Context:
        """Read the command line; a mistake in it is JSON too, if JSON was asked for."""
        as_json = "--json" in args
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            if not as_json:
                raise
            raise _told_usage(error) from error

    def invoke(self, ctx: click.Context) -> object:
        """Run the command and turn what it raises into words and an exit code."""
        from wigwag.client._cli_output import write_any_text

        write_any_text()
        as_json = bool(ctx.params.get("as_json"))
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.Abort):
            raise
        except click.UsageError as error:
            if not as_json:
                raise
            raise _told_usage(error) from error
        except (Exception, BaseExceptionGroup, KeyboardInterrupt) as error:
            raise _told(error, as_json=as_json) from error


def _told_usage(error: click.UsageError) -> click.exceptions.Exit:
    from wigwag.client._cli_failures import usage_failure
    from wigwag.client._cli_output import Output

    message = error.format_message()
    Output(as_json=True).failure(usage_failure(message), message)
    return click.exceptions.Exit(ExitCode.USAGE)


def _told(error: BaseException, *, as_json: bool) -> click.exceptions.Exit:
    """Write what an error says and return the exit that belongs to it."""
    from wigwag.client import _cli_failures as failures
    from wigwag.client._cli_output import Output, give_up_stdout
    from wigwag.client._errors import WigwagError

    cause = failures.first_cause(error)
    output = Output(as_json=as_json)
    match cause:
        case click.exceptions.Exit():
            return cause
        case KeyboardInterrupt():
            return click.exceptions.Exit(INTERRUPTED)
        case BrokenPipeError():
            # Whoever read has had enough, as in `| head`: that is no failure.
            give_up_stdout()
            return click.exceptions.Exit(ExitCode.OK)
        case WigwagError():
            value, words = failures.describe(cause), failures.sentence(cause)
            code = failures.exit_code(cause)
        case OSError():
            value, words, code = failures.disk_failure(cause)
        case _:
            value, words, code = failures.internal_failure(cause)
    try:
        output.failure(value, words)
    except OSError:
        # Standard output itself failed; standard error is all that is left.
        give_up_stdout()
        Output(as_json=False).failure(value, words)
    return click.exceptions.Exit(code)


def profile_options(function: Function) -> Function:
    """Add the options of a command that opens a profile."""
    function = click.option(
        "--passphrase-file",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="File whose first line is the profile's passphrase."
        " Else WIGWAG_PASSPHRASE, else you are asked.",
    )(function)
    return click.option(
        "-p",
        "--profile",
        envvar="WIGWAG_PROFILE",
        metavar="NAME",
        help="Profile to use, a name or a folder; not needed if there is only one."
        " Else WIGWAG_PROFILE.",
    )(function)


def json_option(function: Function) -> Function:
    """Add `--json`."""
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        help="Write only JSON objects, one a line, to standard output; a failure is"
        ' {"error": ...}.',
    )(function)
