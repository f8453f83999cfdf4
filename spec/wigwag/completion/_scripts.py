"""The scripts: the tree as tables of `case` arms, and a few lines that walk a line.

All three shells walk the words before the cursor the same way: a word that names a
subcommand of where we are goes one level down; an option that takes a value swallows
the next word. Then they offer the values of a pending option, or options after a
dash, or subcommands and the values of an argument.
"""

from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias, get_args

from wigwag.completion._tree import (
    FILES,
    FOLDERS,
    NOTHING,
    PROFILES,
    Node,
    Values,
)

Shell: TypeAlias = Literal["bash", "zsh", "fish"]
SHELLS: tuple[Shell, ...] = get_args(Shell)

# Where profiles lie unless the environment says otherwise (the XDG base directories).
_PROFILE_FOLDER = "${XDG_DATA_HOME:-$HOME/.local/share}/wigwag/profiles"


def script(shell: Shell, root: Node) -> str:
    """Return the completion script of a shell for a command tree."""
    return _WRITERS[shell](root)


def _quoted(text: str) -> str:
    """Quote for bash, zsh and fish alike: single quotes, none within."""
    return "'" + text.replace("'", "`").replace("\\", "") + "'"


def _arms(pairs: Iterable[tuple[str, str]], indent: str) -> str:
    return "".join(f"{indent}{key}) {value} ;;\n" for key, value in pairs)


def _words(values: Values) -> str:
    return " ".join(values.choices) if values.choices else f"@{values.kind}"


def _tables(root: Node) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return (function name, arms): by path, or by path and option."""
    commands: list[tuple[str, str]] = []
    flags: list[tuple[str, str]] = []
    values: list[tuple[str, str]] = []
    arguments: list[tuple[str, str]] = []
    for node in root.all_nodes():
        path = " ".join(node.path)
        if node.children:
            names = " ".join(child.path[-1] for child in node.children)
            commands.append((_quoted(path), f"reply={_quoted(names)}"))
        names = " ".join(name for flag in node.flags for name in flag.names)
        flags.append((_quoted(path), f"reply={_quoted(names)}"))
        for flag in node.flags:
            if flag.values is not None:
                key = " | ".join(_quoted(f"{path} {name}") for name in flag.names)
                values.append((key, f"reply={_quoted(_words(flag.values))}"))
        for place, argument in enumerate(node.arguments):
            if argument != Values():
                last = place == len(node.arguments) - 1
                key = f"{_quoted(f'{path} {place}')}"
                if last:
                    key = f"{_quoted(path + ' ')}*"
                arguments.append((key, f"reply={_quoted(_words(argument))}"))
    return [
        ("_wigwag_commands", commands),
        ("_wigwag_flags", flags),
        ("_wigwag_values", values),
        ("_wigwag_arguments", arguments),
    ]


def _functions(root: Node) -> str:
    """Return the tables as functions that both bash and zsh understand."""
    parts: list[str] = []
    for name, arms in _tables(root):
        parts.append(
            f'{name}() {{\n    reply=\n    case "$1" in\n{_arms(arms, "        ")}'
            "    esac\n}\n"
        )
    return "\n".join(parts)


# Sets `path`, `place` (of the argument at the cursor) and `pending` (an option whose
# value the cursor stands at) from the words before the cursor.
_WALK = """\
_wigwag_walk() {
    path=wigwag place=0 pending=
    local word reply
    for word in "$@"; do
        if [ -n "$pending" ]; then
            pending=
            continue
        fi
        case "$word" in
            -*)
                _wigwag_values "$path $word"
                [ -n "$reply" ] && pending=$word
                ;;
            *)
                _wigwag_commands "$path"
                case " $reply " in
                    *" $word "*) path="$path $word" ;;
                    *) place=$((place + 1)) ;;
                esac
                ;;
        esac
    done
}

# Sets `reply` to what may stand at the cursor.
_wigwag_offer() {
    if [ -n "$pending" ]; then
        _wigwag_values "$path $pending"
        return
    fi
    case "$1" in
        -*) _wigwag_flags "$path" ;;
        *)
            local offered
            _wigwag_commands "$path"
            offered=$reply
            if [ -z "$offered" ]; then
                _wigwag_arguments "$path $place"
                offered=$reply
            fi
            reply=$offered
            ;;
    esac
}
"""

_BASH = """\
_wigwag() {
    local path place pending reply cur=${COMP_WORDS[COMP_CWORD]}
    COMPREPLY=()
    _wigwag_walk "${COMP_WORDS[@]:1:COMP_CWORD-1}"
    _wigwag_offer "$cur"
    case "$reply" in
        @%(files)s) compopt -o default ;;
        @%(folders)s) compopt -o dirnames ;;
        @%(profiles)s)
            local IFS=$'\\n' folder=%(profile_folder)s
            COMPREPLY=($(cd "$folder" 2>/dev/null && compgen -d -- "$cur"))
            ;;
        @*) ;;
        *) COMPREPLY=($(compgen -W "$reply" -- "$cur")) ;;
    esac
}

complete -F _wigwag wigwag
"""

_ZSH = """\
_wigwag() {
    setopt localoptions shwordsplit nullglob
    local path place pending reply
    _wigwag_walk "${(@)words[2,CURRENT-1]}"
    _wigwag_offer "$words[CURRENT]"
    case "$reply" in
        @%(files)s) _files ;;
        @%(folders)s) _files -/ ;;
        @%(profiles)s)
            local profiles=(%(profile_folder)s/*(/:t))
            compadd -a profiles
            ;;
        @*) ;;
        *) compadd -- $reply ;;
    esac
}

compdef _wigwag wigwag
"""

_NAMES = {
    "files": FILES,
    "folders": FOLDERS,
    "profiles": PROFILES,
    "profile_folder": _PROFILE_FOLDER,
}


def _bash(root: Node) -> str:
    head = "# Completion of wigwag for bash; made by `wigwag completion bash`.\n\n"
    return head + _functions(root) + "\n" + _WALK + "\n" + _BASH % _NAMES


def _zsh(root: Node) -> str:
    head = "#compdef wigwag\n# Made by `wigwag completion zsh`.\n\n"
    # `path` is tied to PATH in zsh, and must not be ours.
    walk = _renamed(_WALK)
    body = _renamed(_ZSH % _NAMES)
    return head + _functions(root) + "\n" + walk + "\n" + body


def _renamed(text: str) -> str:
    return (
        text.replace("path=", "where=")
        .replace("$path", "$where")
        .replace("local path", "local where")
    )


_FISH_HEAD = """\
# Completion of wigwag for fish; made by `wigwag completion fish`.

# Whether the words before the cursor lead to this command.
function __wigwag_at
    set -l path wigwag
    set -l swallow 0
    for word in (commandline -opc)[2..]
        if test $swallow = 1
            set swallow 0
        else if string match -q -- '-*' $word
            if contains -- "$path $word" $__wigwag_takes
                set swallow 1
            end
        else if contains -- "$path $word" $__wigwag_paths
            set path "$path $word"
        end
    end
    test "$path" = "$argv"
end

function __wigwag_profiles
    set -l data $HOME/.local/share
    set -q XDG_DATA_HOME; and set data $XDG_DATA_HOME
    for folder in $data/wigwag/profiles/*/
        basename $folder
    end
end

complete -c wigwag -f
"""


def _fish(root: Node) -> str:
    nodes = list(root.all_nodes())
    paths = [_quoted(" ".join(node.path)) for node in nodes]
    takes = [
        _quoted(f"{' '.join(node.path)} {name}")
        for node in nodes
        for flag in node.flags
        if flag.values is not None
        for name in flag.names
    ]
    lines = [
        f"set -g __wigwag_paths {' '.join(paths)}",
        f"set -g __wigwag_takes {' '.join(takes)}",
    ]
    for node in nodes:
        at = f"complete -c wigwag -n {_quoted('__wigwag_at ' + ' '.join(node.path))}"
        lines += [
            f"{at} -a {child.path[-1]} -d {_quoted(child.help)}"
            for child in node.children
        ]
        lines += [
            f"{at} {_fish_values(values)}"
            for values in dict.fromkeys(node.arguments)
            if values != Values()
        ]
        for flag in node.flags:
            names = " ".join(
                f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}"
                for name in flag.names
            )
            ending = "" if flag.values is None else f" -r {_fish_values(flag.values)}"
            lines.append(f"{at} {names} -d {_quoted(flag.help)}{ending}")
    return _FISH_HEAD + "\n" + "\n".join(lines) + "\n"


def _fish_values(values: Values) -> str:
    if values.choices:
        return f"-f -a {_quoted(' '.join(values.choices))}"
    match values.kind:
        case kind if kind == FILES:
            return "-F"
        case kind if kind == FOLDERS:
            return "-f -a '(__fish_complete_directories)'"
        case kind if kind == PROFILES:
            return "-f -a '(__wigwag_profiles)'"
        case kind:
            assert kind == NOTHING
            return "-f"


_WRITERS: dict[Shell, Callable[[Node], str]] = {
    "bash": _bash,
    "zsh": _zsh,
    "fish": _fish,
}
