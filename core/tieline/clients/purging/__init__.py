"""The removal of what belongs to a deleted client: everything but the events, which keep ids only."""
