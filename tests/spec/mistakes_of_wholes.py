"""Mistakes of types, messages and root files, and of what they name."""

from __future__ import annotations

from tests.spec.mistake_case import (
    ARRAYS,
    CHANGED,
    CHANGING,
    COLOR,
    DEED,
    GREET,
    KEPT,
    LEAF,
    MARK,
    MODE,
    OLD,
    POINT,
    RELAYED,
    RIGHTS,
    YOUNG,
    MistakeCase,
    field,
    one,
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
        "the specification is not that of build 9 any more",
        "revisions.toml",
        "build = 9",
        f'build = 9\ndigest = "{"0" * 64}" #!',
    ),
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
