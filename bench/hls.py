"""What HLS listeners cost, and how late they hear: `python -m bench.hls`. The last line is JSON.

One Space with one speaker, and 5,000 listeners for 60 s. Each has a socket to the site, which renews the signature, and
a connection to nginx, over which it fetches playlist and segments as the page does.
"""

import argparse
import asyncio
import json
import resource

import numpy as np

from bench.rig import machine
from bench.rig.files import Audience, Listener
from bench.rig.site import Site

LISTENERS, QUICK = 5000, 500
SECONDS = 60.0
ALONE_SECONDS, SETTLE_SECONDS = 20.0, 12.0
BEGIN_PER_SECOND = 40.0  # as many as one web process can let in
HEARD_WITHIN = 120.0
VOICE_SECONDS = 900  # after which the voice ends in any case


async def usages(pids: list[int], seconds: float) -> list[float]:
    """How many percent of a core each of these processes uses in the next `seconds`."""
    return await asyncio.gather(*(machine.usage(pid, seconds) for pid in pids))


def figures(listeners: list[Listener], app: float, nginx: float, seconds: float) -> dict[str, object]:
    """The figures of the last line."""
    thousands = len(listeners) / 1000
    p50, p95 = np.percentile([listener.delay for listener in listeners], [50, 95])
    return {
        "bench": "hls",
        "listeners": len(listeners),
        "app_cpu_pct_per_1000": round(app / thousands, 2),
        "nginx_cpu_pct_per_1000": round(nginx / thousands, 2),
        "delay_p50_s": round(float(p50), 2),
        "delay_p95_s": round(float(p95), 2),
        "missed": sum(listener.unheard(seconds) for listener in listeners),
    }


async def measure(count: int, seconds: float) -> None:
    """Measure, and print the figures."""
    async with Site() as site:
        machine.say(f"Making {count} members")
        known = await asyncio.to_thread(site.members, count)
        site.serve(known["secret"])
        async with Audience(site.url, known["space"], [known["host"]]) as host:
            await host.enter()
            await _measure(site, known, seconds)


async def _measure(site: Site, known: dict[str, list[str]], seconds: float) -> None:
    async with Audience(site.url, str(known["space"]), known["members"]) as audience:
        machine.say("Connecting them")
        await audience.enter()
        await asyncio.sleep(SETTLE_SECONDS)
        pids = [site.web_pid, site.nginx_pid]
        quiet, _ = await usages(pids, ALONE_SECONDS)
        machine.say(f"Sockets alone, without sound: web {quiet:.1f} % of a core")
        await audience.hear(site.files, len(audience.listeners) / BEGIN_PER_SECOND)
        site.voice(str(known["space"]), VOICE_SECONDS)  # only now: the site sends levels to those who do not use HLS
        await audience.until_heard(HEARD_WITHIN)
        await asyncio.sleep(SETTLE_SECONDS)
        audience.forget()
        app, nginx = await usages(pids, seconds)
        audience.check()
        _say(audience.listeners, app, nginx, seconds)
        print(json.dumps(figures(audience.listeners, app, nginx, seconds)))


def _say(listeners: list[Listener], app: float, nginx: float, seconds: float) -> None:
    fetched, renewed = sum(one.fetched for one in listeners), sum(one.renewed for one in listeners)
    refused = sum(one.refused for one in listeners)
    machine.say(
        f"All hear: web {app:.1f} %, nginx {nginx:.1f} % of a core; each got {renewed / len(listeners):.1f} signatures "
        f"and fetched {fetched / len(listeners):.1f} segments in {seconds:.0f} s, {refused} answers were refusals"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listeners", type=int, default=LISTENERS, help="listeners (5,000)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of the measurement (60)")
    parser.add_argument("--quick", action="store_true", help="500 listeners for 20 s")
    chosen = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    count, seconds = (QUICK, 20.0) if chosen.quick else (chosen.listeners, chosen.seconds)
    machine.run(lambda: measure(count, seconds))


if __name__ == "__main__":
    main()
