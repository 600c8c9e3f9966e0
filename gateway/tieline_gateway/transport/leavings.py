"""What reading a document leaves behind: less of it, and little that only a collection of garbage finds.

Nobody has a turn while garbage is looked for, nor while it is let go of: a twentieth of a second, for what a few long
documents left. What does not hold itself goes when its last user does, a little at a time. A text that is no document
leaves its words; the library gives them to nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import cast

from graphql import (
    ASTValidationRule,
    DocumentNode,
    FragmentDefinitionNode,
    NamedTypeNode,
    NameNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    Token,
    TokenKind,
    ValidationContext,
)

_NO_WORD = Token(TokenKind.SOF, 0, 0, 0, 0)
_UNTOLD = (NameNode, NamedTypeNode, SelectionSetNode)
"""No error of a sound document tells where one of these is."""


def nodes_in(document: DocumentNode) -> Iterator[Node]:
    """Everything that the document is made of, itself first."""
    pending: list[Node] = [document]
    while pending:
        node = pending.pop()
        yield node
        for key in node.keys:
            held = getattr(node, key)
            if isinstance(held, Node):
                pending.append(held)
            elif isinstance(held, tuple):
                pending.extend(held)


def unchain_words(document: DocumentNode) -> None:
    """Each word of the text holds the one before and the next, and is held by them."""
    word = document.loc.start_token if document.loc else None
    while word is not None:
        after = word.next
        word.prev = word.next = None
        word = after


def compact(document: DocumentNode) -> None:
    """Leave of a sound one what runs and what errors tell: equal names are one, and words are let go of."""
    names: dict[str, NameNode] = {}
    for node in nodes_in(document):
        if isinstance(node, _UNTOLD):
            _put(node, "loc", None)
        elif node.loc is not None:
            node.loc.start_token = node.loc.end_token = _NO_WORD
        for key in node.keys:
            held = getattr(node, key)
            if isinstance(held, NameNode):
                _put(node, key, names.setdefault(held.value, held))


def take_apart(document: DocumentNode) -> None:
    """Of one that was refused: whatever still holds it or its definitions holds nothing that is in them."""
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode):
            _put(definition, "selection_set", SelectionSetNode(selections=()))


def _put(node: Node, key: str, value: object) -> None:
    """Nodes are frozen for those who share them; nobody else has these."""
    object.__setattr__(node, key, value)


@contextmanager
def forgetful(rules: Sequence[type[ASTValidationRule]]) -> Iterator[list[type[ASTValidationRule]]]:
    """The same rules, for one validation: each holds itself by its methods, and all that it has noted until then."""
    made: list[ASTValidationRule] = []

    def make(rule: type[ASTValidationRule], context: ValidationContext) -> ASTValidationRule:
        made.append(rule(context))
        return made[-1]

    try:
        yield [cast("type[ASTValidationRule]", partial(make, rule)) for rule in rules]
    finally:
        for visitor in made:
            vars(visitor).clear()
