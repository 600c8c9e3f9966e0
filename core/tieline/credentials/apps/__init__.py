"""A practice's apps at providers: its own client ids and secrets there."""
