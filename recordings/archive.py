"""The work on a claimed recording: mix its tracks, and save mix and waveform in the storage.

Only workers and commands import it, since it loads PyAV. The rows' side is in `recordings/models/mixable.py`.
"""

import io
import json
import logging
import tempfile
import time
from collections.abc import Callable
from functools import partial
from typing import IO

from django.conf import settings

from recordings import files
from recordings.mixing import mix
from recordings.mixing.decode import Piece
from recordings.models import ClaimLost, Recording
from recordings.models.recording import MIXED_FOLDER

log = logging.getLogger(__name__)

RENEW_SECONDS = 2.0


def archive(recording: Recording) -> bool:
    """Mix the recording if it waits and no other worker has it. False if not, or if it has to be mixed again.

    An error is written to the row, so that it is tried again later, and raised.
    """
    claim = recording.claim()
    if not claim:
        return False
    try:
        return _archive(recording, claim)
    except ClaimLost:
        log.info("recording %s was claimed by another worker, or purged", recording.pk)
        return False
    except Exception as error:
        recording.fail(claim, f"{type(error).__name__}: {error}")
        raise


def _archive(recording: Recording, claim: str) -> bool:
    recording.collect()
    old = {recording.mix_key, recording.waveform_key} - {""}
    tracks, count = _tracks(recording)
    name = f"{recording.prefix}/{MIXED_FOLDER}/{claim}"
    scratch = settings.VAR_DIR / "scratch"
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryFile(dir=scratch) as out:
            mixed = mix.mix(tracks, out, scratch, _heartbeat(recording, claim))
            complete = recording.finish(claim, _facts(mixed, name, out), count)
    except BaseException:
        _remove({f"{name}.opus", f"{name}.json"})
        raise
    _remove(old)
    return complete


def _tracks(recording: Recording) -> tuple[list[list[Piece]], int]:
    """The pieces of every turn, and their number."""
    tracks: dict[object, list[Piece]] = {}
    chunks = recording.turn_chunks().values_list("track_id", "start_ms", "duration_ms", "key")
    for track, start_ms, duration_ms, key in chunks:
        tracks.setdefault(track, []).append(Piece(start_ms, duration_ms, partial(files.read, key)))
    return list(tracks.values()), sum(map(len, tracks.values()))


def _facts(mixed: mix.Mixed, name: str, out: IO[bytes]) -> dict[str, object]:
    """Save the files of a mix, and return the fields of the row that describe them."""
    facts: dict[str, object] = dict.fromkeys(("mix_key", "mix_sha256", "waveform_key", "waveform_sha256"), "")
    facts |= {"duration_ms": mixed.duration_ms, "loudness": mixed.loudness, "damaged": mixed.damaged}
    if mixed.duration_ms == 0:
        return facts
    drawing = io.BytesIO(json.dumps(mixed.waveform).encode())
    for kind, content, key in (("mix", out, f"{name}.opus"), ("waveform", drawing, f"{name}.json")):
        facts |= {f"{kind}_key": key, f"{kind}_sha256": files.sha256(content)}
        files.save(key, content)  # the client of a bucket may close it
    return facts


def _heartbeat(recording: Recording, claim: str) -> Callable[[float], None]:
    """Renews the claim every RENEW_SECONDS while the mix goes on."""
    last = time.monotonic()

    def beat(progress: float) -> None:
        nonlocal last
        if time.monotonic() - last >= RENEW_SECONDS:
            recording.renew(claim, progress)
            last = time.monotonic()

    return beat


def _remove(keys: set[str]) -> None:
    for key in keys:
        files.remove(key)
