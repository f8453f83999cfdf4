"""Completion for bash, zsh and fish, without asking Python at every Tab.

A shell that starts Python to complete a word waits a fifth of a second. Here the
whole command is written down once, as a script that the shell alone understands:

    from wigwag.completion import SHELLS, command_tree, script
    print(script("bash", command_tree()))

The command is `wigwag completion SHELL [--install]`.
"""

from wigwag.completion._scripts import SHELLS as SHELLS
from wigwag.completion._scripts import Shell as Shell
from wigwag.completion._scripts import script as script
from wigwag.completion._tree import Node as Node
from wigwag.completion._tree import command_tree as command_tree

__all__ = ["SHELLS", "Node", "Shell", "command_tree", "script"]
