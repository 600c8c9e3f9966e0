"""Every place in the GraphQL schema where a caller names something by its id, found by walking it."""

from __future__ import annotations

from collections.abc import Iterator

import graphql

from tieline_gateway.graphql.schema import print_schema


def id_arguments() -> list[str]:
    """Paths such as `Query.client.id` and `Mutation.createClient.input.teamId`, sorted; lists look like their item."""
    schema = graphql.build_schema(print_schema())
    found: set[str] = set()
    for type_ in schema.type_map.values():
        if isinstance(type_, graphql.GraphQLObjectType | graphql.GraphQLInterfaceType):
            for field_name, field in type_.fields.items():
                for name, argument in field.args.items():
                    found.update(_within(argument.type, f"{type_.name}.{field_name}.{name}", ()))
    return sorted(path for path in found if not path.startswith("__"))


def _within(type_: graphql.GraphQLInputType, path: str, above: tuple[str, ...]) -> Iterator[str]:
    named = graphql.get_named_type(type_)
    if named.name == graphql.GraphQLID.name:
        yield path
    if isinstance(named, graphql.GraphQLInputObjectType) and named.name not in above:
        for name, field in named.fields.items():
            yield from _within(field.type, f"{path}.{name}", (*above, named.name))
