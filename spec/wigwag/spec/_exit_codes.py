"""The exit codes of every command, by class of error: one table for all of them.

A script that calls `wigwag` decides by the number alone whether to try again,
to ask its operator or to give up; so a number never changes its meaning.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command's exit status says, whichever command it was."""

    OK = 0
    """It did what it was asked to."""
    INTERNAL = 1
    """A fault of ours; the message names where to look."""
    USAGE = 2
    """The command line itself is wrong (click's own number)."""
    CONFIGURATION = 3
    """A configuration file, data folder or store is wrong or damaged."""
    UNREACHABLE = 4
    """The server can't be reached, or went away and did not come back."""
    REFUSED = 5
    """The server refused for good: asking again gives the same answer."""
    AUTHENTICATION = 6
    """Wrong passphrase, key, invite or signature."""
    TRY_LATER = 7
    """Not now: a rate limit, or a time that ran out."""
    IN_USE = 8
    """Somebody else holds the folder, the profile or the port."""
    STORAGE = 9
    """The disk is full or failed."""
