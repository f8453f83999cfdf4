"""The commands of a person at a terminal, and of scripts.

Each is a thin shell: options here, work in `_cli_<noun>`. What a command needs is
imported when it runs, so that help and completion stay quick.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wigwag.client._cli_command import (
    ClientCommand,
    Example,
    json_option,
    profile_options,
)

if TYPE_CHECKING:
    from wigwag.client._cli_session import Opening

SEND_WAIT_SECONDS = 10.0
"""How long `send` waits for the server before it leaves a message in the queue."""

HISTORY_MESSAGES = 50


@click.command(
    cls=ClientCommand,
    examples=(
        Example('wigwag register alice "$JOIN"', "asks for a new passphrase"),
        Example(
            'wigwag register notifier "$JOIN" --no-passphrase',
            "for a program: asks nothing",
        ),
    ),
)
@click.argument("name")
@click.argument("join")
@click.option(
    "-p",
    "--profile",
    metavar="NAME",
    help="Profile to make, a name or a folder; else it is called like the account.",
)
@click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="File whose first line is the new passphrase."
    " Else WIGWAG_PASSPHRASE, else you are asked.",
)
@click.option(
    "--no-passphrase",
    is_flag=True,
    help="Keep a made-up passphrase in the profile: whoever can read its folder can"
    " read the messages.",
)
@click.option(
    "--token",
    metavar="FILE",
    help="File with a token of the server's identity service, - for standard input:"
    " instead of an invite.",
)
@click.option(
    "--token-command",
    metavar="COMMAND",
    help="Prints such a token; gets WIGWAG_ACCOUNT_KEY_SHA256, which must be in it.",
)
@click.option(
    "--prepare",
    is_flag=True,
    help="Only make the profile, and print the SHA-256 that a token for it must hold.",
)
@json_option
def register(
    name: str,
    join: str,
    profile: str | None,
    passphrase_file: Path | None,
    token: str | None,
    token_command: str | None,
    *,
    no_passphrase: bool,
    prepare: bool,
    as_json: bool,
) -> None:
    """Make the account NAME on the server of a JOIN string, and a profile for it.

    The server's ready line and `wigwag admin invite` print join strings. Put it in
    quotes: a shell takes # for a comment.

    A server that takes tokens of an identity service needs no invite. Each token is
    for one account key: --token-command is told which, or --prepare prints it.
    """
    from wigwag.client._cli_output import Output
    from wigwag.client._cli_register import Wanted, run_prepare, run_register
    from wigwag.client._cli_session import run

    if sum((token is not None, token_command is not None, prepare)) > 1:
        raise click.UsageError(
            "only one of --token, --token-command and --prepare can be given."
        )
    wanted = Wanted(
        name, join, profile, passphrase_file, no_passphrase, token, token_command
    )
    work = run_prepare if prepare else run_register
    run(work, Output(as_json=as_json), wanted)


@click.command(
    cls=ClientCommand,
    examples=(
        Example('wigwag send bob "Lunch at noon?"', "queued if there is no network"),
        Example(
            "date | wigwag send bob - --until delivered --wait 30",
            "fails if not there in 30 s",
        ),
    ),
)
@click.argument("peer")
@click.argument("text")
@click.option(
    "--until",
    type=click.Choice(["sequenced", "delivered", "read"]),
    help="Succeed only when the message has come this far.",
)
@click.option(
    "--wait",
    "wait_seconds",
    type=click.FloatRange(min=0),
    default=SEND_WAIT_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for that; without --until, for the server's word.",
)
@profile_options
@json_option
def send(
    peer: str,
    text: str,
    until: str | None,
    wait_seconds: float,
    profile: str | None,
    passphrase_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Send TEXT to PEER; `-` takes the text from standard input.

    The message is stored before anything is sent. Without --until the command
    succeeds once it is stored, and says whether the server has it; what the server
    doesn't have goes out the next time that the profile is open. With --until it
    ends with 7 if the message hasn't come that far in time.
    """
    from wigwag.client._cli_send import run_send
    from wigwag.client._cli_session import run

    run(
        run_send,
        _opening(profile, passphrase_file, as_json=as_json),
        peer,
        text,
        until,
        wait_seconds,
    )


@click.command(
    cls=ClientCommand,
    examples=(
        Example("wigwag listen --json --count 1", "one message, as JSON"),
        Example(
            "wigwag listen --exec 'cat >> messages.jsonl' --wait 2",
            "handled if it exits with 0",
        ),
    ),
)
@click.option(
    "--count",
    type=click.IntRange(min=1),
    metavar="N",
    help="Leave after N messages.",
)
@click.option(
    "--wait",
    "wait_seconds",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Leave after this time; with --count, ends with 7 if they weren't N by then.",
)
@click.option(
    "--exec",
    "handler",
    metavar="CMD",
    help="Run CMD in a shell for each message.",
)
@click.option(
    "--consumer",
    default="listen",
    show_default=True,
    metavar="NAME",
    help="Name of the place in the messages where it goes on next time; each name"
    " has its own.",
)
@profile_options
@json_option
def listen(
    count: int | None,
    wait_seconds: float | None,
    handler: str | None,
    consumer: str,
    profile: str | None,
    passphrase_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Receive messages until told to stop.

    Begins with the first message that wasn't handled yet. With --exec the message
    comes on CMD's standard input as JSON, and in WIGWAG_PEER, WIGWAG_TEXT,
    WIGWAG_MESSAGE_ID, WIGWAG_CHAT_SEQ and WIGWAG_SENT_AT_MS. It is handled only when
    CMD exits 0; else `listen` ends with 7, and the message comes again next time.
    """
    from wigwag.client._cli_listen import Listening, run_listen
    from wigwag.client._cli_session import run

    listening = Listening(consumer, count, wait_seconds, handler)
    run(run_listen, _opening(profile, passphrase_file, as_json=as_json), listening)


@click.command(
    cls=ClientCommand,
    examples=(
        Example("wigwag chat bob", "in a terminal: /help, /verify, /quit"),
        Example("echo 'On my way' | wigwag chat bob", "in a pipe: a line a message"),
    ),
)
@click.argument("peer")
@profile_options
@json_option
def chat(
    peer: str, profile: str | None, passphrase_file: Path | None, *, as_json: bool
) -> None:
    """Talk with PEER.

    A message of yours shows … while it is queued, ✓ once the server has it, ✓✓ once
    a device of PEER has it, and ✓✓ read. Without a terminal each line of standard
    input is a message, and the command ends with the input.
    """
    from wigwag.client._chat import run_chat
    from wigwag.client._cli_session import run

    run(run_chat, _opening(profile, passphrase_file, as_json=as_json), peer)


@click.command(
    cls=ClientCommand,
    examples=(
        Example("wigwag history bob", "the newest messages, oldest first"),
        Example("wigwag history bob --json --limit 1000", "for a program"),
    ),
)
@click.argument("peer")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=HISTORY_MESSAGES,
    show_default=True,
    metavar="N",
    help="How many, counted from the newest.",
)
@profile_options
@json_option
def history(
    peer: str,
    limit: int,
    profile: str | None,
    passphrase_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Show the messages with PEER, oldest first, from this profile's own store."""
    from wigwag.client._cli_history import run_history
    from wigwag.client._cli_session import run

    run(
        run_history,
        _opening(profile, passphrase_file, as_json=as_json),
        peer,
        limit,
    )


@click.command(
    cls=ClientCommand,
    examples=(
        Example("wigwag status", "who one is, what waits, whether the server is there"),
        Example("wigwag status --json", "for a program"),
    ),
)
@profile_options
@json_option
def status(profile: str | None, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Show a profile's account, queue and connection."""
    from wigwag.client._cli_session import run
    from wigwag.client._cli_status import run_status

    run(run_status, _opening(profile, passphrase_file, as_json=as_json))


@click.command(
    cls=ClientCommand,
    examples=(
        Example("wigwag verify bob", "the number that bob must see too"),
        Example("wigwag verify bob --mark", "after both have compared it"),
    ),
)
@click.argument("peer")
@click.option("--mark", is_flag=True, help="The numbers are equal: PEER is verified.")
@click.option(
    "--accept-change",
    is_flag=True,
    help="PEER has a new key, and it is his: send to him again.",
)
@profile_options
@json_option
def verify(
    peer: str,
    profile: str | None,
    passphrase_file: Path | None,
    *,
    mark: bool,
    accept_change: bool,
    as_json: bool,
) -> None:
    """Show the safety number that you and PEER must both see.

    Compare it by another way than these messages: in person, or by telephone. Equal
    numbers prove that nobody sits in between.
    """
    from functools import partial

    from wigwag.client._cli_session import run
    from wigwag.client._cli_verify import run_verify

    if mark and accept_change:
        raise click.UsageError(
            "--accept-change and --mark are two steps: accept the new key, compare"
            " the new number, then mark it."
        )
    run(
        partial(run_verify, mark=mark, accept=accept_change),
        _opening(profile, passphrase_file, as_json=as_json),
        peer,
    )


@click.command(
    cls=ClientCommand,
    examples=(
        Example("wigwag account delete -p alice", "asks for the account's name"),
        Example("wigwag account delete -p alice --yes --json", "for a program"),
    ),
)
@click.argument("action", type=click.Choice(["delete"]))
@click.option("--yes", "is_agreed", is_flag=True, help="Don't ask; it can't be undone.")
@profile_options
@json_option
def account(
    action: str,
    profile: str | None,
    passphrase_file: Path | None,
    *,
    is_agreed: bool,
    as_json: bool,
) -> None:
    """Delete a profile's account at the server for good, then the profile.

    Devices, keys, the username and messages that nobody has fetched go; their senders
    are told. The profile goes only once the server has said that the account is
    gone. If that answer is lost, run it again: it is told again.
    """
    from functools import partial

    from wigwag.client._cli_account import run_delete
    from wigwag.client._cli_session import run

    assert action == "delete"
    run(
        partial(run_delete, is_agreed=is_agreed),
        _opening(profile, passphrase_file, as_json=as_json),
    )


@click.command(
    cls=ClientCommand,
    examples=(
        Example("wigwag devices", "their numbers, and which is this one"),
        Example("wigwag devices revoke 1 --yes", "takes device 1 out for good"),
    ),
)
@click.argument("action", type=click.Choice(["revoke"]), required=False)
@click.argument("number", type=click.IntRange(1, 127), required=False)
@click.option("--yes", "is_agreed", is_flag=True, help="Don't ask; it can't be undone.")
@profile_options
@json_option
def devices(
    action: str | None,
    number: int | None,
    profile: str | None,
    passphrase_file: Path | None,
    *,
    is_agreed: bool,
    as_json: bool,
) -> None:
    """Show the devices of a profile's account, or `revoke` one for good.

    A revoked device can't sign in any more, and its open connection ends within
    seconds. Revoking this profile's own device signs it out for good.
    """
    from functools import partial

    from wigwag.client._cli_account import run_devices, run_revoke
    from wigwag.client._cli_session import run

    opening = _opening(profile, passphrase_file, as_json=as_json)
    if action is None:
        run(run_devices, opening)
    elif number is None:
        raise click.UsageError("say which: wigwag devices revoke NUMBER")
    else:
        run(partial(run_revoke, is_agreed=is_agreed), opening, number)


@click.command(
    cls=ClientCommand,
    examples=(
        Example("wigwag errors NAME_TAKEN", "by name"),
        Example("wigwag errors 0x3001 --json", "by number, for a program"),
    ),
)
@click.argument("code", required=False)
@json_option
def errors(code: str | None, *, as_json: bool) -> None:
    """Explain an error: whose fault it is, whether to retry, what to do.

    CODE is a number, decimal or 0x…, or a name. Without it all are listed.
    """
    from wigwag.client._cli_errors import run_errors
    from wigwag.client._cli_output import Output

    run_errors(Output(as_json=as_json), code)


def _opening(
    profile: str | None, passphrase_file: Path | None, *, as_json: bool
) -> "Opening":
    from wigwag.client._cli_output import Output
    from wigwag.client._cli_session import Opening

    return Opening(Output(as_json=as_json), profile, passphrase_file)
