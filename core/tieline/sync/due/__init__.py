"""Which organisations are due for a sync, whoever's they are."""
