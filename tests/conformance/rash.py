"""A provider whose module starts a thread when it is imported."""

from __future__ import annotations

from threading import Thread

from tieline_abacus import Abacus

_started = Thread(target=str)
_started.start()
_started.join()


class Rash(Abacus):
    pass
