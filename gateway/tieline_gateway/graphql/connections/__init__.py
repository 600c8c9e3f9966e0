"""Connections of clients to organisations, one by one and as the board of all."""
