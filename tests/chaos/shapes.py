"""Documents that are hard to read: each shape, made as large as it may be, takes all of something that readers do.

They need no more of the schema than a few fields of the viewer, of clients and of connections.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from tests.chaos.documents import MAX_CHARS, Drawn

DEEP = 200
"""As many fragments in a chain as are asked for whatever their size."""


def joined(one: Callable[[int], str], count: int) -> str:
    return " ".join(map(one, range(count)))


def chained(count: int) -> str:
    links = joined(lambda n: f"fragment F{n} on Viewer{{role ...F{n + 1}}}", count)
    return f"{{viewer{{...F0}}}} {links} fragment F{count} on Viewer{{role}}"


def doubled(count: int) -> str:
    links = joined(lambda n: f"fragment F{n} on Query{{...F{n + 1} ...F{n + 1}}}", count)
    return f"{{...F0}} {links} fragment F{count} on Query{{viewer{{role}}}}"


def crowned(count: int) -> str:
    spread = joined(lambda n: f"...F{n}", count)
    return f"{{viewer{{{spread}}}}} " + joined(lambda n: f"fragment F{n} on Viewer{{role}}", count)


def everybody_with_everybody(count: int) -> str:
    def spreads(n: int) -> str:
        return joined(lambda m: f"...F{m}", n)

    fragments = joined(lambda n: f"fragment F{n} on Query{{viewer{{role}} {spreads(n)}}}", count)
    return f"{{...F{count - 1}}} {fragments}"


def in_a_ring(count: int) -> str:
    links = joined(lambda n: f"fragment F{n} on Query{{...F{(n + 1) % count} ...F0}}", count)
    return f"{{...F0}} {links}"


def unused(count: int) -> str:
    return "{viewer{role}} " + joined(lambda n: f"fragment F{n} on Viewer{{role}}", count)


def of_many_operations(count: int) -> str:
    operations = joined(lambda n: f"query Q{n}($v: ID!){{...F0}}", min(count, 20))
    links = joined(lambda n: f"fragment F{n} on Query{{client(id: $v){{id}} ...F{n + 1}}}", count)
    return f"{operations} {links} fragment F{count} on Query{{viewer{{role}}}}"


def of_operations_alone(count: int) -> str:
    return joined(lambda n: f"query Q{n}{{viewer{{role}}}}", count)


def named_alike(count: int) -> str:
    return "{viewer{role}} " + joined(lambda _: "query Q{viewer{role}} fragment F on Viewer{role}", count)


def aliased(count: int) -> str:
    return "{" + joined(lambda n: f"a{n}: viewer{{role}}", count) + "}"


def repeated(count: int) -> str:
    return "{" + joined(lambda _: "viewer{role}", count) + "}"


def repeated_below(count: int) -> str:
    return "{" + joined(lambda _: "clients(first:1){nodes{team{id}}}", count) + "}"


def contradicting(count: int) -> str:
    return "{" + joined(lambda n: f"a: client(id: {n}){{id}}", count) + "}"


def inline(count: int) -> str:
    return "{" + joined(lambda _: "...{viewer{...{role}}}", count) + "}"


def inline_in_each_other(count: int) -> str:
    return "{" + "...{" * count + "viewer{role}" + "}" * count + "}"


def on_every_type(count: int) -> str:
    types = ("Client", "Viewer", "Query", "Connection", "Nothing", "ID", "PageInfo")
    return "{" + joined(lambda n: f"... on {types[n % len(types)]}{{viewer{{role}}}}", count) + "}"


def deep(count: int) -> str:
    return "{" + "client(id: 1){connections{" * count + "id" + "}}" * count + "}"


def deep_list(count: int) -> str:
    return f"{{connections(teamIds: {'[' * count}{']' * count}){{totalCount}}}}"


def deep_object(count: int) -> str:
    return f"{{connectionBoard(product: BOOKKEEPING, sort: {'{field:' * count}1{'}' * count}){{totalCount}}}}"


def long_list(count: int) -> str:
    ids = joined(lambda n: f'"{n}"', count)
    return f"{{connections(teamIds: [{ids}]){{totalCount}}}}"


def list_of_wrong_values(count: int) -> str:
    values = joined(lambda n: f"{{a{n}: 1}}", count)
    return f"{{connections(statuses: [{values}]){{totalCount}}}}"


def rows_that_lack_all(count: int) -> str:
    return f"mutation{{bulkConnect(input: {{rows: [{joined(lambda _: '{}', count)}]}}){{outcomes{{code}}}}}}"


def rows_of_wrong_fields(count: int) -> str:
    rows = joined(lambda n: f"{{cliemtId: {n}, organisationID: 1}}", count)
    return f'mutation{{bulkConnect(input: {{signInId: "1", rows: [{rows}]}}){{outcomes{{code}}}}}}'


def long_text(count: int) -> str:
    return f'{{clients(search: "{"x" * count}"){{totalCount}}}}'


def text_of_escapes(count: int) -> str:
    return '{clients(search: "' + "\\u00e9" * count + '"){totalCount}}'


def text_of_many_lines(count: int) -> str:
    lines = "".join(" " * (n % 7) + "\n" for n in range(count))
    return f'{{clients(search: """{lines}"""){{totalCount}}}}'


def huge_number(count: int) -> str:
    return f"{{clients(first: {'9' * count}){{totalCount}}}}"


def unknown_fields(count: int) -> str:
    return "{" + joined(lambda n: f"viewr{n}", count) + "}"


def unknown_arguments(count: int) -> str:
    return f"{{clients({joined(lambda n: f'firts{n}: {n}', count)}){{totalCount}}}}"


def unknown_variables(count: int) -> str:
    return "{" + joined(lambda n: f"...{{client(id: $v{n}){{id}}}}", count) + "}"


def variables(count: int) -> str:
    declared = joined(lambda n: f"$v{n}: ID", count)
    return f"query({declared}){{clients(listedFor: $v0){{totalCount}}}}"


def variables_of_lists(count: int) -> str:
    declared = joined(lambda n: f"$v{n}: [[ID!]!]! = [[{n}]]", count)
    return f"query({declared}){{connections(teamIds: $v0){{totalCount}}}}"


def directed(count: int) -> str:
    return "{viewer" + "@skip(if:false)" * count + "{role}}"


def directed_by_nobody(count: int) -> str:
    return "{viewer" + joined(lambda n: f"@d{n}(a:{n})", count) + "{role}}"


def introspecting(count: int) -> str:
    return "{__schema{types{" + "fields{type{" * count + "name" + "}}" * count + "}}}"


def commented(count: int) -> str:
    return "#\n" * count + "{viewer{role}}"


def of_commas(count: int) -> str:
    return "{viewer{role" + ",\ufeff\t" * count + "}}"


def never_closed(count: int) -> str:
    return "{viewer" * count


def of_one_long_name(count: int) -> str:
    return "{" + "a" * count + "}"


SHAPES: dict[str, Callable[[int], str]] = {
    shape.__name__: shape
    for shape in (
        *(chained, doubled, crowned, everybody_with_everybody, in_a_ring, unused),
        *(of_many_operations, of_operations_alone, named_alike),
        *(
            aliased,
            repeated,
            repeated_below,
            contradicting,
            inline,
            inline_in_each_other,
            on_every_type,
            deep,
        ),
        *(deep_list, deep_object, long_list, list_of_wrong_values, rows_that_lack_all, rows_of_wrong_fields),
        *(long_text, text_of_escapes, text_of_many_lines, huge_number),
        *(unknown_fields, unknown_arguments, unknown_variables, variables, variables_of_lists),
        *(directed, directed_by_nobody, introspecting, commented, of_commas, never_closed, of_one_long_name),
    )
}


def largest(shape: Callable[[int], str]) -> int:
    """As many of it as a document of so many characters holds: found from below, for some grow with the square."""
    low, high = 1, 1
    while len(shape(high)) <= MAX_CHARS:
        low, high = high, 2 * high
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if len(shape(middle)) <= MAX_CHARS else (low, middle - 1)
    return low


def shaped(draws: random.Random) -> Iterator[Drawn]:
    """Without end: those that chain 200, then each as large as it may be, then of any size."""
    for deep_one in (chained.__name__, doubled.__name__):
        yield Drawn(query=SHAPES[deep_one](DEEP), breaks=deep_one)
    most = {name: largest(shape) for name, shape in SHAPES.items()}
    for name, shape in SHAPES.items():
        yield Drawn(query=shape(most[name]), breaks=name)
    while True:
        name = draws.choice(sorted(SHAPES))
        yield Drawn(query=SHAPES[name](draws.randint(1, most[name])), breaks=name)
