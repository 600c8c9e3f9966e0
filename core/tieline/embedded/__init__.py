"""A real PostgreSQL and a real Redis-compatible server as our own children, for machines with neither.

embedded_servers ─ servers     puts the pieces together, in order
                   ├─ folder   the data folder: who owns it, who may reach it, its locks and passwords
                   ├─ binaries where the servers' programs are
                   ├─ postgres a cluster: made once, started, given its login and database
                   ├─ redis    one server with a password
                   └─ process  starts a server through `guard`, watches it, stops it
                      └─ guard the script between us and a server: it dies when we do
"""

from __future__ import annotations

from tieline.embedded.folder import default_data_folder, write_private
from tieline.embedded.folder import remove as remove_data_folder
from tieline.embedded.servers import Servers, embedded_servers

__all__ = ["Servers", "default_data_folder", "embedded_servers", "remove_data_folder", "write_private"]
