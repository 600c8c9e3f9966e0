"""Clients connected to organisations: connect, bulk connect, reconnect, disconnect, and every state told."""
