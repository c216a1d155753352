"""Sound for reviewers: a part of one person's own track, or of what the listeners heard, live or later.

A clip is an Ogg/Opus file of the captured packets as they are, undecoded. Its time 0 is `start_ms` of room time. If
nothing was sent for a while, it holds silence of the same length, so that every player shows the right time.
"""

from collections.abc import Iterable, Iterator

from django.db import models
from django.db.models import F

from recordings import files, serve
from recordings.models import Chunk, Recording, Track
from rooms.media.capture import ogg
from rooms.media.sound.opus import SILENT_PACKET, samples_of
from rooms.media.units import MS
from rooms.models import Participant

LONGEST_MS = 30 * 60 * 1000  # of one clip; the next clip begins there
ARRIVAL_MS = 15_000  # by then a chunk is in the storage, with 5 s to spare
LEAST_OVERLAP = 20 * MS  # if two packets overlap by more, the second is left out
_SILENT_TOC, _SILENT_FRAME = SILENT_PACKET[0], SILENT_PACKET[1:]
_MOST_FRAMES = 6  # of 20 ms, 120 ms in all: the longest packet of RFC 6716


def track_clip(recording: Recording, participant: Participant, start_ms: int, end_ms: int | None = None) -> bytes:
    """What one person sent between two room times, in all turns. Without `end_ms`: up to the sound there is so far.

    At most LONGEST_MS long. If the person sent nothing, the file is silent, or empty without `end_ms`.
    """
    return _clip(Chunk.objects.filter(track__recording=recording, track__participant=participant), start_ms, end_ms)


def mix_clip(recording: Recording, start_ms: int, end_ms: int | None = None) -> bytes:
    """What the listeners heard between two room times; otherwise like `track_clip`."""
    return _clip(Chunk.objects.filter(track__recording=recording, track__kind=Track.Kind.MIX), start_ms, end_ms)


def mix(recording: Recording, start_ms: int = 0) -> tuple[serve.Source, int]:
    """The whole mix for `serve.respond`, and the room time of its time 0.

    The finished mix begins at 0. Before it is there, what the listeners have heard since `start_ms` is returned, at
    most LONGEST_MS of it.
    """
    if recording.mix_key:
        return serve.stored(recording.mix_key, recording.mix_sha256[:32]), 0
    return serve.made(mix_clip(recording, start_ms)), start_ms


def track(recording: Recording, participant: Participant, start_ms: int, end_ms: int | None = None) -> serve.Source:
    """`track_clip` for `serve.respond`."""
    return serve.made(track_clip(recording, participant, start_ms, end_ms))


def heard_until_ms(recording: Recording, participant: Participant | None = None) -> int:
    """Room time up to which the storage has sound, of one person or of the listeners' mix; 0 if it has none."""
    of_whom = {"track__participant": participant} if participant else {"track__kind": Track.Kind.MIX}
    last = Chunk.objects.filter(track__recording=recording, **of_whom).order_by("-start_ms").first()
    return last.end_ms if last else 0


def known_until_ms(recording: Recording, participant: Participant | None = None) -> int:
    """Room time up to which all sound has arrived; of an ended Space, its end.

    A chunk covers 5 s and takes seconds to arrive. Silence makes no chunks, so the clock decides in that case.
    """
    space = recording.space
    arrived_ms = space.room_ms - (ARRIVAL_MS if space.ended_at is None else 0)
    return max(heard_until_ms(recording, participant), arrived_ms)


def _clip(chunks: "models.QuerySet[Chunk]", start_ms: int, end_ms: int | None) -> bytes:
    start_ms = max(0, start_ms)
    stop_ms = start_ms + LONGEST_MS if end_ms is None else min(end_ms, start_ms + LONGEST_MS)
    writer, written = ogg.OggWriter({"START_MS": str(start_ms)}), 0
    wanted = chunks.annotate(end=F("start_ms") + F("duration_ms")).filter(end__gt=start_ms, start_ms__lt=stop_ms)
    for packet in _packets(wanted.order_by("start_ms")):
        place = packet.position - start_ms * MS
        if place >= (stop_ms - start_ms) * MS:
            break
        if place + packet.samples <= 0 or written - place >= LEAST_OVERLAP:
            continue
        written = _silence(writer, written, place)
        writer.write(packet.payload, written)
        written += packet.samples
    if end_ms is not None:
        _silence(writer, written, (stop_ms - start_ms) * MS)
    return writer.finish()


def _packets(chunks: Iterable[Chunk]) -> Iterator[ogg.Placed]:
    for chunk in chunks:
        try:
            content = ogg.read(files.read(chunk.key))
        except (FileNotFoundError, ogg.OggError):
            continue  # `recordings verify` reports it; here it is silence
        for packet in content.packets:
            yield ogg.Placed(chunk.start_ms * MS + packet.position, packet.samples, packet.payload)


def _silence(writer: ogg.OggWriter, written: int, place: int) -> int:
    """Write silence up to `place`, as far as whole packets reach, and return that position."""
    while place - written >= 20 * MS:
        payload = silent_packet(min(_MOST_FRAMES, (place - written) // (20 * MS)))
        writer.write(payload, written)
        written += samples_of(payload)
    return written


def silent_packet(frames: int) -> bytes:
    """Digital silence of 1 to 6 frames of 20 ms: code 3, constant bit rate, no padding (RFC 6716 section 3.2.5)."""
    return bytes([_SILENT_TOC | 3, frames]) + _SILENT_FRAME * frames
