"""What a process has counted: this one since a moment, or another one by what it answers at `/metrics`."""

from __future__ import annotations

from collections.abc import Iterable

import httpx
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from tieline.metrics import REGISTRY

Figures = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class Counted:
    """Figures of this process that have grown since this was made."""

    def __init__(self) -> None:
        self._before = _figures(REGISTRY.collect())

    def more(self, name: str) -> dict[tuple[str, ...], float]:
        """By how much each sample of this name has grown, by the values of its labels in their names' order."""
        return {
            tuple(value for _, value in labels): number - self._before.get((found, labels), 0.0)
            for (found, labels), number in _figures(REGISTRY.collect()).items()
            if found == name and number != self._before.get((found, labels), 0.0)
        }


async def exposed(url: str) -> Figures:
    """All samples of the process that answers there, of one moment."""
    async with httpx.AsyncClient(timeout=30) as http:
        answer = await http.get(f"{url}/metrics")
    assert answer.status_code == httpx.codes.OK, answer
    return _figures(text_string_to_metric_families(answer.text))


async def figure(url: str, sample: str, /, **labels: str) -> float | None:
    """A sample of the process that answers there; None where it has none."""
    return (await exposed(url)).get((sample, tuple(sorted(labels.items()))))


async def pool_of(url: str) -> dict[str, int]:
    """Connections to the database of the process that answers there: `size`, `idle` and `limit`, of one moment."""
    return pool_in(await exposed(url))


def pool_in(figures: Figures) -> dict[str, int]:
    """The same, of figures that were read before. A process that tells of no pool fails the test."""
    name = "tieline_database_connections"
    return {state: int(figures[name, (("state", state),)]) for state in ("size", "idle", "limit")}


def _figures(families: Iterable[Metric]) -> Figures:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }
