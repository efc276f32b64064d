"""Whether one name imitates another to the eye: whatever its case, accents, spacing, order of words and letters of
other alphabets that look alike. Pure."""

import re
import unicodedata
from collections.abc import Collection

_LOOKS_LIKE = {
    "a": "аα@4",
    "b": "вЬьβ8",
    "c": "сϲ¢",
    "d": "ԁđð",
    "e": "еєεɛ3€",
    "f": "ƒ",
    "g": "ɡ9",
    "h": "һнħ",
    "i": "іιıɪ1!|",
    "j": "јʝ",
    "k": "кκ",
    "l": "ӏłℓ",
    "m": "мϻ",
    "n": "пηոи",
    "o": "оοσøօ0",
    "p": "рρ",
    "q": "ԛ",
    "r": "гя",
    "s": "ѕ$5ś",
    "t": "тτŧ7+",
    "u": "υսц",
    "v": "ѵν",
    "w": "ԝωш",
    "x": "хχ×",
    "y": "уүγ",
    "z": "ᴢ2",
    "ae": "æ",
    "oe": "œ",
    "th": "þ",
}
"""Letters and signs that are taken for Latin ones (a part of Unicode's confusables, UTS 39, and what people put for
letters), after case and accents are gone."""
_ALIKE = {sign: plain for plain, signs in _LOOKS_LIKE.items() for sign in signs}
_READ = str.maketrans(_ALIKE)
"""Signs and digits read as letters, as in P!nk."""
_DROPPED = str.maketrans({sign: plain if sign.isalpha() else "" for sign, plain in _ALIKE.items()})
"""The same, passed over, as in Vela!"""
_FILLERS = frozenset({"the", "official"})
_SHORTEST = 2


def _words(name: str, table: dict[int, str]) -> list[str]:
    """The words of a name as they are read: lower case, no accents, none of what cannot be seen. Letters of other
    scripts that look like no Latin one stay themselves."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    bare = "".join(sign for sign in folded if not unicodedata.combining(sign) and unicodedata.category(sign) != "Cf")
    words = re.findall(r"[^\W_]+", bare.translate(table))
    return [word for word in words if word not in _FILLERS] or words


def imitated(name: str, known: Collection[str]) -> str:
    """The known name that ``name`` imitates, or nothing: the same letters in whatever order of words, or all but one in
    six of them."""
    for other in sorted(known):
        for table in (_READ, _DROPPED):
            mine, theirs = _words(name, table), _words(other, table)
            one, two = "".join(mine), "".join(theirs)
            if min(len(one), len(two)) < _SHORTEST:
                continue
            free = max(len(one), len(two)) // 6
            if sorted(mine) == sorted(theirs):
                return other
            # Most names of a long list are told apart by their length alone.
            if abs(len(one) - len(two)) <= free and distance(one, two) <= free:
                return other
    return ""


def distance(one: str, other: str) -> int:
    """Levenshtein's: letters to insert, drop or replace."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        above, row[0] = row[0], i
        for j, b in enumerate(other, start=1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
    return row[-1]
