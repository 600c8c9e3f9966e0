"""The plain HTTP routes beside the GraphQL path."""
