"""Names as people type them, and the key they sort and match by: accents, case and width do not count."""

from __future__ import annotations

import re
import unicodedata

from tieline.errors import Invalid

NAME_LENGTH = 200
NAME_KEY_LENGTH = 400
_WORD = re.compile(r"[^\W_]+")
_JOINTS = re.compile("['\u2019.]")
_WORD_LENGTH = 64
_WORDS = 64
LAST_CHARACTER = "\U0010ffff"
# What companies write after their names, and how they spell it out.
_FORMS = {
    "limited": "ltd",
    "incorporated": "inc",
    "corporation": "corp",
    "company": "co",
    "proprietary": "pty",
    "and": "",
}
_SUFFIXES = frozenset(
    {"ltd", "plc", "llp", "lp", "llc", "inc", "corp", "co", "pty", "cic", "gmbh", "bv", "sarl", "pte"}
)


def clean_name(text: str, *, field: str) -> str:
    """The name with its white space folded. Raises Invalid for an empty, overlong or unprintable one."""
    name = " ".join(text.split())
    if not name:
        raise Invalid("A name needs at least one letter or digit.", field=field)
    if len(name) > NAME_LENGTH:
        raise Invalid(f"A name has at most {NAME_LENGTH} characters; this one has {len(name)}.", field=field)
    if not name.isprintable():
        raise Invalid("A name may not hold control or other unprintable characters.", field=field)
    if not _WORD.search(name_key(name)):
        raise Invalid("A name needs at least one letter or digit.", field=field)
    return name


def name_key(name: str) -> str:
    """What a name sorts by: compatibility form, no accents, case folded, bounded in length."""
    decomposed = unicodedata.normalize("NFKD", name)
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    folded = unicodedata.normalize("NFKD", bare.casefold())
    return " ".join(folded.split())[:NAME_KEY_LENGTH].rstrip()


def name_words(name: str) -> tuple[str, ...]:
    """The distinct words that a name is found by: O'Brien under `o`, `brien` and `obrien`."""
    return _distinct(name_key(name), _JOINTS.sub("", name_key(name)))[:_WORDS]


def search_words(search: str) -> tuple[str, ...]:
    """The distinct words of a search; each has to begin a word of the name."""
    return _distinct(name_key(search))


def match_key(name: str) -> str:
    """What two spellings of one business share: no case, accents, signs, '&' or 'and', nor what form it has."""
    spelled = name_key(name).replace("&", " and ")
    words = [_FORMS.get(word, word) for word in _WORD.findall(_JOINTS.sub("", spelled))]
    kept = [word for word in words if word]
    while len(kept) > 1 and kept[-1] in _SUFFIXES:
        kept.pop()
    return " ".join(kept) or spelled


def _distinct(*keys: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word[:_WORD_LENGTH] for key in keys for word in _WORD.findall(key)))
