"""Tieline's GraphQL API, served by Starlette and Strawberry."""
