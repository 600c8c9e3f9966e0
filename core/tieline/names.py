"""Names as people type them, and the key they sort and match by: accents, case and width do not count."""

from __future__ import annotations

import re
import unicodedata

from tieline.errors import Invalid

NAME_LENGTH = 200
NAME_KEY_LENGTH = 400
_WORD = re.compile(r"[^\W_]+")
_WORD_LENGTH = 64
_WORDS = 32
LAST_CHARACTER = "\U0010ffff"


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
    return " ".join(folded.split())[:NAME_KEY_LENGTH]


def name_words(name: str) -> tuple[str, ...]:
    """The distinct words of a name's key, in order; search matches their beginnings."""
    words = (word[:_WORD_LENGTH] for word in _WORD.findall(name_key(name)))
    return tuple(dict.fromkeys(words))[:_WORDS]
