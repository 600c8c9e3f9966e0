"""Numbered migrations: they expand, then contract; constraints, policies and grants are written out in each."""
