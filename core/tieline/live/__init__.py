"""Live hints: after a commit, whoever watches what changed is told to look again. A lost hint costs seconds.

    unit of work ── tell ──► Redis, one channel ──► listening ──► Watchers ──► watching(practice, topic, id)
                                                    one a process              one wake-up pending at most

A hint holds ids and nothing else; what a watcher may see is decided when it looks.
"""

from tieline.live.hints import Hint
from tieline.live.listening import listening
from tieline.live.telling import tell, telling
from tieline.live.watchers import Watcher, watching

__all__ = ["Hint", "Watcher", "listening", "tell", "telling", "watching"]
