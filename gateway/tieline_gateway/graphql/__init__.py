"""The GraphQL schema: a folder a slice, types made from the core's frozen records, resolvers of one line."""
