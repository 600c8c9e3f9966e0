"""Is this deployment fit: findings, each with its remedy; and what one that was restored needs before it starts.

finding     what is found, and how grave it is
environment what is wrong with the settings, and what stands in for that; the ring of keys
settings    what they lead to: plugins, addresses
servers     PostgreSQL and Redis: do they serve, are they set as they should be
running     which processes are connected to them
work        what is late, and what was given up
access      apps, seals, logins and connections
service     all of it, in order
restored    `tieline doctor --after-restore`
"""
