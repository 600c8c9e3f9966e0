"""Callers: who may come into a practice, and as what, by a key or by the subject of an issuer."""
