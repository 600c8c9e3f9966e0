"""Rules about what a provider says of itself: data that is the same whenever it is asked for."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter

from tieline.plugins.validation import flaw_of
from tieline.testing.bench import Bench
from tieline.testing.rule import rule

_WATCHED = """
import importlib, json, os, signal, sys, threading

done, writes = [], os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
acts = ("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.fork", "os.posix_spawn",
        "os.mkdir", "os.remove", "os.rename")

def watch(event, args):
    if event in acts or (event == "open" and isinstance(args[2], int) and args[2] & writes):
        done.append(event)

def told(what, does):
    return lambda *args, **more: (done.append(what), does(*args, **more))[1]

import tieline.plugins, tieline.canonical
before = dict(os.environ)
threading.Thread.start = told("a new thread", threading.Thread.start)
signal.signal = told("a signal set", signal.signal)
sys.dont_write_bytecode = True
sys.addaudithook(watch)
plugin = importlib.import_module(sys.argv[1])
if hasattr(plugin, "tieline_provider"):
    plugin.tieline_provider()
if dict(os.environ) != before:
    done.append("a change of the environment")
sys.stdout.write(json.dumps(done))
"""


@rule(
    says="Tieline accepts the provider at its start.",
    mend="The refusal says what does not fit; docs/plugin-authors.md has the list.",
)
async def the_start_accepts_it(bench: Bench) -> None:
    flaw = flaw_of(bench.provider)
    if flaw is not None:
        raise the_start_accepts_it.broken(flaw)


@rule(
    says="info, oauth and limits are data: asked for again, they are the same.",
    mend="Make them once, as constants.",
)
async def data_stays_the_same(bench: Bench) -> None:
    provider = bench.provider
    for name in ("info", "oauth"):
        if getattr(provider, name) != getattr(provider, name):
            raise data_stays_the_same.broken(f"{name} differed")
    for tier in (None, *provider.info.tiers):
        if list(provider.limits(tier)) != list(provider.limits(tier)):
            raise data_stays_the_same.broken(f"the limits of the tier {tier!r} differed")


@rule(
    says="Where the tier is None or unknown, the limits are the least of all tiers.",
    mend="Give None and unknown words every limit that some tier has, with the smallest figure.",
)
async def unknown_tiers_get_the_least(bench: Bench) -> None:
    provider = bench.provider
    least = {limit.name: limit for limit in provider.limits(None)}
    if list(provider.limits("a_tier_nobody_has")) != list(provider.limits(None)):
        raise unknown_tiers_get_the_least.broken("a tier that nobody has gets other limits than None")
    for tier in provider.info.tiers:
        for limit in provider.limits(tier):
            if limit.name not in least or least[limit.name].most > limit.most:
                raise unknown_tiers_get_the_least.broken(
                    f"the limit {limit.name!r} of the tier {tier!r} is narrower than that of None"
                )


@rule(
    says="A dataset is filled by one feed.",
    mend="Move it to one of them: the end of a snapshot deletes what only another feed shows.",
)
async def datasets_have_one_feed(bench: Bench) -> None:
    counts = Counter(dataset for feed in bench.feeds for dataset in feed.datasets)
    shared = [dataset for dataset, count in counts.items() if count > 1]
    if shared:
        raise datasets_have_one_feed.broken(f"{shared[0]!r} stands in {counts[shared[0]]} of them")


@rule(
    says="Importing the plugin and calling its hook does nothing else.",
    mend="Open no file or line, start no thread and set no signal there: a session comes with every call.",
)
async def imports_do_nothing(bench: Bench) -> None:
    module = type(bench.provider).__module__
    package = module.partition(".")[0]
    name = package if hasattr(sys.modules.get(package), "tieline_provider") else module
    paths = os.pathsep.join(path or os.curdir for path in sys.path)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-B",
        "-c",
        _WATCHED,
        name,
        env=os.environ | {"PYTHONPATH": paths},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complaint = await process.communicate()
    if process.returncode != 0:
        why = complaint.decode(errors="replace").strip().splitlines()[-1]
        raise imports_do_nothing.broken(f"it failed with {why.rstrip('.')}")
    done = json.loads(said)
    if done:
        raise imports_do_nothing.broken(f"there was {', '.join(sorted(set(done)))}")


RULES = (
    the_start_accepts_it,
    data_stays_the_same,
    unknown_tiers_get_the_least,
    datasets_have_one_feed,
    imports_do_nothing,
)
