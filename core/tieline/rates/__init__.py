"""How much one caller may ask of us: a bucket each, that fills by itself, and is the same in every process.

    spend ──► Redis: one script, one key a bucket ──► nothing, or how long to wait
          └─► while Redis is away: a bucket of this process, of the same size

Time is real here: what tests move is the calendar. Without `rating` all buckets are the process's own.
"""

from tieline.rates.bucket import Rate
from tieline.rates.process import Rates, rating, spend

__all__ = ["Rate", "Rates", "rating", "spend"]
