"""Clients made from the organisations that a sign-in found."""
