"""One media node: the engine, the HTTP interface, the link to Redis and the spool, started and stopped together."""

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Sequence

import redis.asyncio
from aiohttp import web
from prometheus_client import generate_latest

from rooms.media import metrics
from rooms.media.admission import MEASURED_SECONDS
from rooms.media.capture.spool import Spool
from rooms.media.clock import percentile
from rooms.media.contract.health import Health, Percentiles
from rooms.media.contract.heartbeat import Beat
from rooms.media.engine import Engine
from rooms.media.garbage import Garbage, shorten_pauses
from rooms.media.hls.feed import Process
from rooms.media.http import application
from rooms.media.link import Link
from rooms.media.network.udp import UdpPort
from rooms.media.settings import Settings
from rooms.media.web_side import HintSender, Outputs, WebSide

log = logging.getLogger(__name__)

TASK_SECONDS, CANCEL_SECONDS = 1.0, 0.1  # at the end: for all tasks to end, and between two cancellations
HINTS_SECONDS = 0.5  # at the end, for the last hints
SHIP_SECONDS = 1.0  # at the end; the next node ships the rest
LOAD_SECONDS = 0.5  # between two measurements of the load
BEAT_SECONDS = 10.0  # of ticks that the heartbeat sums up
WRITER_SECONDS = 2.0  # between two checks that the HLS writer runs
COLLECT_SECONDS = 1.0  # between two checks whether a full collection of garbage is due


class Node:
    """A running node. Raises OSError if a port or the spool is taken."""

    def __init__(self, settings: Settings, web_side: WebSide) -> None:
        self.settings = settings
        self.boot = secrets.token_hex(8)
        self.port = UdpPort(settings.bind, settings.port)
        self.name = settings.name
        self.draining = self._stopped = False
        self.stop_requested = asyncio.Event()
        self.failed = False  # by a fault of ours
        self.url = ""
        self._hints = HintSender(web_side.hint)
        self._redis = redis.asyncio.Redis.from_url(settings.redis_url)
        self._tasks: list[asyncio.Task[None]] = []
        try:
            self.spool = Spool(settings.spool, self.name, web_side.ship)
        except OSError:
            self.port.close()
            raise
        clock = asyncio.get_running_loop().time
        self.hls = Process(settings.hls) if settings.hls is not None else None
        outputs = Outputs(self._hints.post, self.spool.submit, self.hls.send if self.hls is not None else None)
        self.engine = Engine(settings, self.boot, self.port, outputs, clock)
        self.link = Link(self.engine, self._redis, self.beat)
        self._metrics = metrics.registry(self)
        self._runner = web.AppRunner(application(self, settings.secret), access_log=None, shutdown_timeout=0.5)

    async def start(self) -> None:
        """Listen, tick, and send heartbeats. Raises OSError if the HTTP port is taken."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.settings.http_host, self.settings.http_port)
        try:
            await site.start()
        except OSError:
            await self._runner.cleanup()
            self.port.close()
            self.spool.unlock()
            await self._redis.aclose()  # type: ignore[attr-defined]
            raise
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self.spool.start()
        if self.hls is not None:
            self.hls.keep_running()
        self.engine.start()
        works = [
            self._hints.run(),
            self.link.run_heartbeat(),
            self.link.run_standings(),
            self.link.run_rereading(),
            self._run_measuring(),
            self._run_collecting(),
        ]
        if self.hls is not None:
            works.append(self._run_writing(self.hls))
        for work in works:
            task = asyncio.get_running_loop().create_task(work)
            task.add_done_callback(self._on_task_done)
            self._tasks.append(task)

    async def stop(self) -> None:
        """Take no more Spaces, ship open chunks, say goodbye.

        Every step has a limit, 3.5 s together if neither Redis nor browsers nor the storage answer. The supervisor
        waits for less; the next node ships what is left then.
        """
        if self._stopped:
            return
        self._stopped = self.draining = True
        await self.link.goodbye()
        await self._end_tasks()
        await self.link.goodbye()
        await self._close()
        await self._runner.cleanup()
        await self._redis.aclose()  # type: ignore[attr-defined]

    async def _close(self) -> None:
        """End the sound, ship its last chunks and write its last files. The engine hands them over before it waits."""
        closing = [asyncio.to_thread(self.spool.close, SHIP_SECONDS)]
        if self.hls is not None:
            closing.append(asyncio.to_thread(self.hls.stop))
        await asyncio.gather(self._end_sound(), *closing)

    async def _end_sound(self) -> None:
        await self.engine.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HINTS_SECONDS):
                await self._hints.send_waiting()

    def _on_task_done(self, task: "asyncio.Task[None]") -> None:
        """End the node if a part of it failed. It would look alive, but no mute would take effect."""
        if not task.cancelled() and task.exception() is not None:
            log.critical("a part of the node failed, so it ends", exc_info=task.exception())
            self.failed = True
            self.stop_requested.set()

    async def _end_tasks(self) -> None:
        """Cancel what runs besides the engine. Give up on a task that does not end.

        Cancel repeatedly: redis-py loses a cancellation that comes while it connects.
        """
        running, ended = set(self._tasks), set[asyncio.Task[None]]()
        for _ in range(round(TASK_SECONDS / CANCEL_SECONDS)):
            for task in running:
                task.cancel()
            if running:
                done, running = await asyncio.wait(running, timeout=CANCEL_SECONDS)
                ended |= done
        failed = [task.exception() for task in ended if not task.cancelled()]
        if running or failed:
            log.error("tasks of the node that do not end: %r; tasks that failed: %r", running, failed)

    async def prepare(self, space: str, *, early: bool = False) -> None:
        """Read the standing of a Space that is new here, or that this node believes to be placed elsewhere.

        `early`: open the Space even if it is still placed elsewhere, because it is about to move here.
        """
        here = self.engine.spaces.get(space)
        if here is None or not here.standing.places_on(self.boot):
            await self.link.read(space, early=early)

    def beat(self) -> Beat:
        """The current heartbeat. The link fills `steady` in."""
        return Beat(
            name=self.name,
            boot=self.boot,
            url=self.url,
            peers=self.engine.peers,
            capacity=self.settings.capacity,
            places=self.engine.admission.places,
            load=round(self.engine.load, 3),
            tick_p99_ms=_ms(percentile(self._ticks(BEAT_SECONDS), 99)),
            spaces=tuple(self.engine.spaces),
            full=self.engine.is_full,
            draining=self.draining,
            hls=self.hls is not None and self.hls.writes,
            steady=0.0,
        )

    def _ticks(self, seconds: float) -> list[float]:
        """The durations of the ticks of the last `seconds`, in seconds."""
        return self.engine.ticker.latest(seconds)[0] if self.engine.ticker else []

    def health(self, seconds: float) -> Health:
        """How the node is. `tick_ms` and `late_ms` are of the last `seconds`."""
        engine, ticker = self.engine, self.engine.ticker
        assert ticker is not None
        durations, delays = ticker.latest(seconds)
        return Health(
            node=self.name,
            boot=self.boot,
            spaces=len(engine.spaces),
            peers=engine.peers,
            load=round(engine.load, 3),
            full=engine.is_full,
            joins=engine.joins,
            restarts=engine.restarts,
            sent=engine.fanout.sent,
            dropped=engine.fanout.dropped,
            drops=dict(engine.all_drops),
            overflowed=self.port.overflowed,
            tick_ms=_percentiles(durations),
            late_ms=_percentiles(delays),
            missed_ticks=ticker.missed,
            failed_ticks=engine.failed_ticks,
            spool=self.spool.waiting,
            pieces_dropped=self.pieces_dropped,
            tasks=len(asyncio.all_tasks()),
        )

    @property
    def pieces_dropped(self) -> int:
        """Pieces of the mix that the HLS writer did not take. HLS listeners missed them."""
        return self.hls.dropped if self.hls is not None else 0

    def metrics(self) -> bytes:
        """The same and more in the text format of Prometheus."""
        return generate_latest(self._metrics)

    async def _run_measuring(self) -> None:
        """Measure the share of its core that the process uses, and let the admission weigh it."""
        cpu, clock = time.process_time(), time.monotonic()
        while True:
            await asyncio.sleep(LOAD_SECONDS)
            used, passed = time.process_time() - cpu, time.monotonic() - clock
            cpu, clock = cpu + used, clock + passed
            self.engine.load += (min(1.0, used / passed) - self.engine.load) * 0.3
            self.engine.admission.weigh(self.engine.load, self._ticks(MEASURED_SECONDS))

    async def _run_writing(self, process: Process) -> None:
        """Restart the HLS writer's process when it has ended."""
        while True:
            await asyncio.sleep(WRITER_SECONDS)
            process.keep_running()

    async def _run_collecting(self) -> None:
        """Collect cyclic garbage when it is due. The engine froze what was alive at the start."""
        shorten_pauses()
        engine, garbage = self.engine, Garbage(time.monotonic())
        while True:
            await asyncio.sleep(COLLECT_SECONDS)
            gone, now = engine.joins - engine.peers, time.monotonic()
            if garbage.is_due(gone, engine.peers, now):
                garbage.collect(gone, now)


def _percentiles(seconds: Sequence[float]) -> Percentiles:
    return Percentiles(_ms(percentile(seconds, 50)), _ms(percentile(seconds, 99)))


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
