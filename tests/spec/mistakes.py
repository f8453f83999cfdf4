"""The mistakes that a specification can hold, each as an edit of the trial protocol.

The mark stands on the line that must be named.
"""

from __future__ import annotations

from dataclasses import dataclass

MARK = "#!"

SCALARS, ARRAYS = "messages/scalars.toml", "messages/arrays.toml"
CHANGING, GREET, OLD = (
    "messages/changing.toml",
    "messages/greet.toml",
    "messages/old.toml",
)
YOUNG, KEPT, RELAYED = (
    "messages/young.toml",
    "messages/kept.toml",
    "messages/relayed.toml",
)
GREETED, CHANGED = "messages/greeted.toml", "messages/changed.toml"
POINT, LEAF, BRANCH, DEED = (
    f"types/{name}.toml" for name in ("point", "leaf", "branch", "deed")
)
COLOR, MODE, RIGHTS = (f"types/{name}.toml" for name in ("color", "mode", "rights"))
SMALL = 'name = "small"\ntype = "u8"\nmin = 1\n'
DATA = 'type = "bytes"\nmax = 3'


@dataclass(frozen=True)
class MistakeCase:
    """Edits that spoil the trial protocol and what must then be said.

    Attributes:
        wrong: Part of what is said to be wrong.
        edits: (file, text, replacement); an empty text appends.
        at: File that is named, if not the last one edited.
    """

    wrong: str
    edits: tuple[tuple[str, str, str], ...]
    at: str = ""


def one(wrong: str, file: str, old: str, new: str, at: str = "") -> MistakeCase:
    """Return a case of one edit."""
    return MistakeCase(wrong, ((file, old, new),), at)


def field(text: str, number: str = "ord = 2") -> str:
    """Return a field to append to OLD, marked where it starts if nowhere else."""
    mark = "" if MARK in text + number else f" {MARK}"
    return f'[[field]]{mark}\n{number}\nname = "more"\n{text}\ndoc = "More."\n'


SUBSET = (
    one("not a line of the subset", OLD, "since = 1", "since 1 #!"),
    one("not a line of the subset", OLD, "since = 1", "a.b = 1 #!"),
    one("has no value that is complete on its line", OLD, "since = 1", "since = [ #!"),
    one("was given on line", OLD, "since = 1", "since = 1\nsince = 2 #!"),
    one(
        "neither a scalar nor a list of scalars", OLD, "since = 1", "since = {a = 1} #!"
    ),
    one(
        "neither a scalar nor a list of scalars",
        OLD,
        "since = 1",
        'since = [1, "a"] #!',
    ),
    one("neither a scalar nor a list of scalars", OLD, "since = 1", "since = 1.5 #!"),
    one("a key before the first table", OLD, "[message]", "x = 1 #!\n[message]"),
    one("not a table's heading", OLD, "", "[a.b] #!"),
    one("not a table's heading", OLD, "", "[[field] #!"),
    one("a second table 'message'", OLD, "", "[message] #!"),
    one("a second table 'field'", OLD, "", "[field] #!"),
)

KEYS = (
    MistakeCase(
        "`message` has no `kind`",
        ((OLD, 'kind = "event"\n', ""), (OLD, "[message]", "[message] #!")),
    ),
    MistakeCase(
        "`message` has no `since`",
        ((OLD, "since = 1\n", ""), (OLD, "[message]", "[message] #!")),
    ),
    one("`doc` is not a text", OLD, 'doc = "Up to three bytes."', "doc = 3 #!"),
    one("`doc` is not a text", OLD, 'doc = "Up to three bytes."', 'doc = "" #!'),
    one("is not CAPITALS with underscores", OLD, '"OLD"', '"Old" #!'),
    one("`type` is not a number", OLD, "type = 17", 'type = "17" #!'),
    one("`type` is not a number", OLD, "type = 17", "type = true #!"),
    one("`type` 70000 is outside 1..65535", OLD, "type = 17", "type = 70000 #!"),
    one("neither true nor false", CHANGING, "stream = true", "stream = 1 #!"),
    one("`kind` 'events' is not known", OLD, '"event"', '"events" #!'),
    one("is not a list of texts", OLD, '["OPEN"]', '"OPEN" #!'),
    one("is not a list of texts", OLD, '["OPEN"]', "[1] #!"),
    one("names something twice", OLD, '["OPEN"]', '["OPEN", "OPEN"] #!'),
    one("has no key `sinse`", OLD, "since = 1", "since = 1\nsinse = 1 #!"),
    one("is not a range of revisions", LEAF, '"2+"', '"2..3" #!'),
    one("is not a range of revisions", LEAF, '"2+"', "2 #!"),
    one("ends before it starts", LEAF, '"2+"', '"3-2" #!'),
    one("does not belong here", OLD, "", '[[bit]] #!\nname = "X"'),
    one("does not belong here", "limits.toml", "", "[[size]] #!"),
    one("does not belong here", "requirements/all.toml", "", "[[rule]] #!"),
    one("there is no [protocol]", "protocol.toml", "[protocol]", "[[protokol]]"),
    one("the file does not start with", OLD, "[message]", "[massage] #!"),
    one("the file does not start with", "types/empty.toml", "", ""),
)

FIELDS = (
    one("needs one of `ord` and `tag`", OLD, "", field('type = "u8"\ntag = 3')),
    one("needs one of `ord` and `tag`", OLD, "", field('type = "u8"', 'rev = "1-2"')),
    one("is not small letters", OLD, '"data"', '"Data" #!'),
    one("'unknown' is a reserved word", OLD, '"data"', '"unknown" #!'),
    one("there is no type 'u9'", OLD, "", field('type = "u9" #!')),
    one("`field` has no `type`", OLD, "", field("max = 1")),
    one(
        "there is no type 'array<u9>'", OLD, "", field('type = "array<u9>" #!\nmax = 1')
    ),
    one(
        "has no bound for its elements",
        OLD,
        "",
        field('type = "array<str>" #!\nmax = 1'),
    ),
    one("a field of type bytes has no bound", OLD, DATA, 'type = "bytes" #!'),
    one("`min` beside `exact`", OLD, "max = 3", "exact = 3\nmin = 3 #!"),
    one("`min` 4 is above `max` 3", OLD, "max = 3", "max = 3\nmin = 4 #!"),
    one("`max` 300 is outside", OLD, "", field('type = "u8"\nmax = 300 #!')),
    one("`field` has no key `max`", OLD, "", field('type = "bool"\nmax = 1 #!')),
    one("`zero_ok` on a u8", OLD, "", field('type = "u8"\nzero_ok = true #!')),
    one("`nonzero` on a bool", OLD, "", field('type = "bool"\nnonzero = true #!')),
    one("`nonzero` on a uuid", OLD, "", field('type = "uuid"\nnonzero = true #!')),
    one(
        "the default of a bool is not one", CHANGING, "default = true", "default = 1 #!"
    ),
    one("not a number within 0..65535", CHANGING, "default = 3", "default = true #!"),
    one("not a number within 0..65535", CHANGING, "default = 3", "default = 65536 #!"),
    one("the default of a bytes[2] is not a text", CHANGING, '"0a0b"', "3 #!"),
    one("the default is not hexadecimal", CHANGING, '"0a0b"', '"0a0" #!'),
    one("the default has 3 bytes", CHANGING, '"0a0b"', '"0a0b0c" #!'),
    one("the default has 10 bytes", CHANGING, '"hi"', '"0123456789" #!'),
    one("Mode has no 'SLOWER'", CHANGING, '"SLOW"', '"SLOWER" #!'),
    one("Rights has no 'RIDE'", CHANGING, '"WRITE"', '"RIDE" #!'),
    one("is not the empty list", CHANGING, "default = []", "default = [1] #!"),
    one(
        "a struct has no default",
        RELAYED,
        'type = "Deed"',
        'type = "Deed"\ndefault = 1 #!',
    ),
    one("is always on the wire", OLD, "max = 3", 'max = 3\npresence = "optional" #!'),
    one(
        "absent when it has that value",
        CHANGING,
        "default = 3",
        'default = 3\npresence = "required" #!',
    ),
    one("`key` on a bytes", OLD, "max = 3", 'max = 3\nkey = "." #!'),
)

NUMBERS = (
    one("ord 1 is 'data' already", OLD, "", field('type = "u8"', "ord = 1 #!")),
    one(
        "the name 'data' is taken",
        OLD,
        "",
        '[[field]]\nord = 2\nname = "data" #!\ntype = "u8"\ndoc = "x"',
    ),
    one("ord 2 was 'mistaken'", CHANGING, "ord = 3", "ord = 2 #!"),
    one("the name 'mistaken' has a tombstone", CHANGING, '"gone"', '"mistaken" #!'),
    one("ord 1 stands after 2", POINT, "ord = 3", "ord = 1 #!"),
    MistakeCase(
        "a tag stands before",
        (
            (BRANCH, "", field('type = "u8"').replace(MARK, "")),
            (BRANCH, "tag = 1", "tag = 1 #!"),
        ),
    ),
    one("ord 2 is missing", OLD, "", field('type = "u8"', "ord = 3 #!")),
    one(
        "ord 2 is missing",
        OLD,
        "",
        '[[tombstone]]\nord = 3 #!\nname = "x"\nreason = "x"',
    ),
    one(
        "is declared twice for one revision",
        CHANGING,
        'rev = "3"\npres',
        'rev = "2-3" #!\npres',
    ),
    one(
        "`type` of 'grew' differs",
        CHANGING,
        'type = "bytes"\nmax = 8',
        'type = "str" #!\nmax = 8',
    ),
    one("does not fit the length prefix", CHANGING, "max = 8", "max = 300 #!"),
    one("go beyond the 1-2", OLD, "max = 3", 'max = 3\nrev = "1-3" #!'),
    one("revision 5 does not exist", CHANGING, 'rev = "4+"', 'rev = "5+" #!'),
    MistakeCase(
        "is absent in some revisions",
        (
            (CHANGING, "default = 5\n", ""),
            (CHANGING, 'name = "gone"', 'name = "gone" #!'),
        ),
    ),
    one("tag 27 is reserved for grease", CHANGED, "tag = 1", "tag = 27 #!"),
    one("tag 32769 is a vendor's", CHANGED, "tag = 1", "tag = 32769 #!"),
    one("more than array_count_max", ARRAYS, "max = 300", "max = 1025 #!"),
    one("u16 has no fields", ARRAYS, 'key = "."', 'key = "x" #!'),
    one(
        "i64 is no key",
        ARRAYS,
        'type = "array<i64>"',
        'type = "array<i64>"\nkey = "." #!',
    ),
    one("Leaf has no field 'idd'", ARRAYS, '"id,class"', '"idd" #!'),
    one("Leaf.label is no key", ARRAYS, '"id,class"', '"label" #!'),
)

NEST = 'nesting_max"\nvalue = {0}\nmin = {0}'

TYPES = (
    MistakeCase(
        "Leaf nests 2 levels",
        (
            ("limits.toml", NEST.format(8), NEST.format(2)),
            (LEAF, '"Leaf"', '"Leaf" #!'),
        ),
    ),
    one("record name 'Leaf' is taken", KEPT, '"KEPT"', '"LEAF" #!'),
    one(
        "the name Message is used by the generated code", KEPT, '"KEPT"', '"MESSAGE" #!'
    ),
    one(
        "an open enum has no `fallback`",
        COLOR,
        'open = true\nfallback = "GREY"',
        "open = true #!",
    ),
    one("a closed enum has a `fallback`", MODE, "open = false", 'fallback = "SLOW" #!'),
    one("Color has no value 'GRAY'", COLOR, '"GREY"', '"GRAY" #!'),
    one("name 'RED' is taken", COLOR, '"BLUE"', '"RED" #!'),
    one("value 1 is taken", COLOR, "value = 2", "value = 1 #!"),
    one("bit 0 is taken", RIGHTS, "bit = 1", "bit = 0 #!"),
    one("value 27 is reserved for grease", COLOR, "value = 2", "value = 27 #!"),
    one("revision 9 does not exist", COLOR, '"3+"', '"9+" #!'),
    one(
        "Void has no value",
        "types/void.toml",
        "",
        '[enum] #!\nname = "Void"\nbase = "u8"\ndoc = "x"',
    ),
    one(
        "Void has no bit",
        "types/void.toml",
        "",
        '[flagset] #!\nname = "Void"\nbase = "u8"\ndoc = "x"',
    ),
    one(
        "Void has no field",
        "types/void.toml",
        "",
        '[struct] #!\nname = "Void"\ndoc = "x"',
    ),
    one(
        "nothing uses Void",
        "types/void.toml",
        "",
        '[struct]\nname = "Void" #!\ndoc = "x"',
    ),
    one(
        "a tag in the closed struct Point",
        POINT,
        "",
        field('type = "u8"', "tag = 1 #!"),
    ),
    MistakeCase(
        "Point contains itself",
        (
            (
                POINT,
                "",
                field('type = "array<Leaf>"\nmax = 1', "ord = 4").replace(MARK, ""),
            ),
            (POINT, '"Point"', '"Point" #!'),
        ),
    ),
    one(
        "an array of the open struct Branch",
        ARRAYS,
        '"array<Leaf>"',
        '"array<Branch>" #!',
    ),
    one("depends on the revision", DEED, "max = 2", 'max = 2\nrev = "1-2" #!'),
    one(
        "depends on the revision",
        DEED,
        '"bytes[4]"',
        '"bytes[4]"\ndefault = "00000001"\nrev = "2+" #!',
    ),
    MistakeCase(
        "depends on the revision",
        ((POINT, "max = 999", 'max = 999\ndefault = 1\nrev = "2+" #!'),),
    ),
)

MESSAGES = (
    MistakeCase(
        "message 'OLD' is taken",
        ((KEPT, '"KEPT"', '"OLD"'), (OLD, 'name = "OLD"', 'name = "OLD" #!')),
    ),
    one("type 16 is taken", OLD, "type = 17", "type = 16 #!"),
    one("type 59 is reserved for grease", OLD, "type = 17", "type = 59 #!"),
    one("type 32768 is a vendor's", OLD, "type = 17", "type = 32768 #!"),
    one("a response of odd type 13", CHANGED, "type = 12", "type = 13 #!"),
    one("an invariant of odd type 3", GREET, "type = 2", "type = 3 #!"),
    one("a stored message of odd type 15", RELAYED, "type = 14", "type = 15 #!"),
    one("there is no message 'CHANGD'", CHANGING, '["CHANGED"]', '["CHANGD"] #!'),
    one("OLD is not a response", CHANGING, '["CHANGED"]', '["CHANGED", "OLD"] #!'),
    MistakeCase(
        "the request CHANGING has no reply",
        (
            (CHANGING, 'replies = ["CHANGED"]\n', ""),
            (CHANGING, 'kind = "request"', 'kind = "request" #!'),
        ),
    ),
    one(
        "OLD is not a request", OLD, "since = 1", 'since = 1\nreplies = ["CHANGED"] #!'
    ),
    one("OLD is not a request", OLD, "since = 1", "since = 1\nstream = true #!"),
    one("OLD is not a response", OLD, "since = 1", "since = 1\nunsolicited = true #!"),
    MistakeCase(
        "has no `rate_class`",
        (
            (YOUNG, 'rate_class = "bulk"\n', ""),
            (YOUNG, 'name = "YOUNG"', 'name = "YOUNG" #!'),
        ),
    ),
    MistakeCase(
        "no request is answered with KEPT",
        ((KEPT, '"event"', '"response"'), (KEPT, 'name = "KEPT"', 'name = "KEPT" #!')),
    ),
    one("there is no state 'OPENED'", OLD, '["OPEN"]', '["OPENED"] #!'),
    one("OLD is legal in no state", OLD, '["OPEN"]', "[] #!"),
    one("there is no error 'MALFORMD'", GREET, '["MALFORMED"]', '["MALFORMD"] #!'),
    MistakeCase(
        "there is no requirement 'R-TRIAL-002'",
        ((OLD, '["R-TRIAL-001"]', '["R-TRIAL-002"] #!'),),
    ),
    MistakeCase(
        "OLD has no requirement",
        (
            (OLD, 'requirements = ["R-TRIAL-001"]\n', ""),
            (OLD, 'name = "OLD"', 'name = "OLD" #!'),
        ),
    ),
    one("there is no field 'once'", GREET, '"nonce"', '"once" #!'),
    one("revision 8 does not exist", YOUNG, "since = 3", "since = 8 #!"),
    one(
        "`until` is before `since`",
        OLD,
        "since = 1\nuntil = 2",
        "since = 2\nuntil = 1 #!",
    ),
    one("does not exist in every revision", GREET, "since = 1", "since = 2 #!"),
    MistakeCase(
        "'offers' of the invariant GREET depends",
        (
            (GREET, "max = 4", 'max = 4\nrev = "2+"\ndefault = []'),
            (GREET, "invariant = true", "invariant = true #!"),
        ),
    ),
    MistakeCase(
        "'more' of the invariant GREET depends",
        (
            (GREET, "", field('type = "Mode"', "ord = 3").replace(MARK, "")),
            (GREET, "invariant = true", "invariant = true #!"),
        ),
    ),
    MistakeCase(
        "'more.weight' of the invariant GREET depends",
        (
            (GREET, "", field('type = "Leaf"', "ord = 3").replace(MARK, "")),
            (MODE, 'rev = "3+"\n', ""),
            (GREET, "invariant = true", "invariant = true #!"),
        ),
    ),
    MistakeCase(
        "OLD takes 312 bytes, OPEN allows 300",
        (
            (
                "limits.toml",
                "value = 65536\nmin = 65536\nmax = 65536",
                "value = 300\nmin = 300\nmax = 300",
            ),
            (OLD, "max = 3", "exact = 301"),
            (OLD, 'states = ["OPEN"]', 'states = ["OPEN"] #!'),
        ),
    ),
)

TABLES = (
    one(
        "error 'LIMIT' is taken",
        "errors.toml",
        'name = "UNSUPPORTED"',
        'name = "LIMIT" #!',
    ),
    one("code 4097 is taken", "errors.toml", "code = 4098", "code = 4097 #!"),
    one(
        "is not of class connection_fatal",
        "errors.toml",
        "code = 4098",
        "code = 8290 #!",
    ),
    one("is reserved for grease", "errors.toml", "code = 4098", "code = 4123 #!"),
    one(
        "the codec's error UNSUPPORTED is missing",
        "errors.toml",
        'name = "UNSUPPORTED"',
        'name = "OTHER"',
    ),
    MistakeCase(
        "limit 'tags_max' is taken",
        (
            ("limits.toml", 'name = "nesting_max"', 'name = "tags_max"'),
            (
                "limits.toml",
                'name = "tags_max"\nvalue = 64',
                'name = "tags_max" #!\nvalue = 64',
            ),
        ),
    ),
    one(
        "outside the limit's own range",
        "limits.toml",
        "value = 64\n",
        "value = 65 #!\n",
    ),
    one(
        "the codec's limit nesting_max is missing",
        "limits.toml",
        '"nesting_max"',
        '"nesting_high"',
    ),
    MistakeCase(
        "state 'START' is taken",
        (("states.toml", 'name = "OPEN"', 'name = "START" #!'),),
    ),
    one(
        "there is no limit 'frame_maxi'",
        "states.toml",
        '"frame_max"',
        '"frame_maxi" #!',
    ),
    one(
        "there is no state 'STRT'",
        "states.toml",
        'state = "START"\nmessage',
        'state = "STRT" #!\nmessage',
    ),
    one("there is no state 'OPN'", "states.toml", 'next = "OPEN"', 'next = "OPN" #!'),
    one("there is no message 'GREETD'", "states.toml", '"GREETED"', '"GREETD" #!'),
    one("OLD is not legal in START", "states.toml", '"GREETED"', '"OLD" #!'),
    one(
        "transition ('START', 'GREETED') is taken",
        "states.toml",
        "",
        '[[transition]]\nstate = "START"\nmessage = "GREETED" #!\nnext = "START"',
    ),
    one(
        "timeout ('START', 'server') is taken",
        "states.toml",
        "",
        '[[timeout]]\nstate = "START"\nrole = "server" #!\n'
        'limit = "wait_seconds"\nerror = "LIMIT"',
    ),
    one("there is no limit 'wait'", "states.toml", '"wait_seconds"', '"wait" #!'),
    one(
        "there is no error 'BAD'",
        "states.toml",
        'error = "MALFORMED"',
        'error = "BAD" #!',
    ),
    one("feature 'BASE' is taken", "features.toml", '"EXTRA"', '"BASE" #!'),
    one("feature id 1 is taken", "features.toml", "id = 2", "id = 1 #!"),
    one("feature id 27 is reserved", "features.toml", "id = 2", "id = 27 #!"),
    one("feature id 32768 is a vendor's", "features.toml", "id = 2", "id = 32768 #!"),
    one("there is no feature 'BAS'", "features.toml", '["BASE"]', '["BAS"] #!'),
    MistakeCase(
        "EXTRA depends on itself",
        (
            ("features.toml", "depends = []", 'depends = ["EXTRA"]'),
            ("features.toml", '["BASE"]', '["BASE"] #!'),
        ),
    ),
    one(
        "revision 4 stands where 3 must",
        "revisions.toml",
        "number = 3",
        "number = 4 #!",
    ),
    MistakeCase(
        "the draft's number 5 is not the next",
        (("revisions.toml", "number = 4", "number = 5 #!"),),
    ),
    MistakeCase(
        "is not 64 hexadecimal digits",
        (("revisions.toml", f'"{"1" * 64}"', '"11" #!'),),
    ),
    one(
        "requirement 'R-TRIAL-001' is taken",
        "requirements/all.toml",
        "",
        '[[requirement]]\nid = "R-TRIAL-001" #!\n'
        'level = "MUST"\nside = "sender"\ntext = "x"',
    ),
)

CASES = (*SUBSET, *KEYS, *FIELDS, *NUMBERS, *TYPES, *MESSAGES, *TABLES)
