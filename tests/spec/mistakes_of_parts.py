"""Mistakes of lines, keys and fields, and of fields among each other."""

from __future__ import annotations

from tests.spec.mistake_case import (
    ARRAYS,
    BRANCH,
    CHANGED,
    CHANGING,
    DATA,
    LEAF,
    MARK,
    OLD,
    POINT,
    RELAYED,
    MistakeCase,
    field,
    one,
)

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
