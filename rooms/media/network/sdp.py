"""SDP offer and answer (RFC 8829, RFC 8866): exactly one audio section with Opus, or a clear refusal."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

MAX_OFFER = 16_384  # octets
TYPE_PREFERENCE, MOST_PREFERENCE = 30, 99  # of our candidates: above relayed ones of a browser, below all others
_MAX_LINES = 400
_TOKEN = re.compile(r"[A-Za-z0-9+/]+\Z")
_MID = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,32}\Z")
_OPUS = re.compile(r"(\d{1,3}) opus/48000/2\Z", re.IGNORECASE)
_FINGERPRINT = re.compile(r"(sha-256|sha-384|sha-512) ((?:[0-9A-F]{2}:){31,63}[0-9A-F]{2})\Z", re.IGNORECASE)
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")


class BadSdp(ValueError):
    """The node cannot answer this offer. The message says what is wrong."""


@dataclass(frozen=True)
class Offer:
    """What the node needs of a browser's offer. `fingerprints` are pairs of algorithm and value."""

    mid: str | None
    payload_type: int
    fragment: str
    password: str
    fingerprints: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Answer:
    """What the node answers: credentials, certificate, addresses as (host, port), and its stream."""

    fragment: str
    password: str
    fingerprints: Sequence[tuple[str, str]]
    candidates: Sequence[tuple[str, int]]
    ssrc: int
    restarts: int = 0  # answers to this peer before this one


@dataclass
class _Section:
    media: str = ""
    attributes: dict[str, list[str]] = field(default_factory=dict)

    def first(self, name: str) -> str | None:
        return self.attributes.get(name, [None])[0]


def parse_offer(text: str) -> Offer:
    """Read an offer. Raises BadSdp unless it is exactly one audio section with Opus that a node can answer."""
    session, section = _one_section(text)
    kind, port, protocol, *formats = section.media.split()
    if kind != "audio" or port == "0":
        raise BadSdp("the section has to be audio, and not rejected")
    if protocol != "UDP/TLS/RTP/SAVPF":
        raise BadSdp(f"protocol {protocol[:40]}, expected UDP/TLS/RTP/SAVPF")
    if "rtcp-mux" not in section.attributes:
        raise BadSdp("a=rtcp-mux is missing")
    _check_direction(section)
    if (section.first("setup") or session.first("setup")) not in ("actpass", "active"):
        raise BadSdp("a=setup has to be actpass or active")
    mid = section.first("mid")
    if mid is not None and not _MID.match(mid):
        raise BadSdp("a=mid is malformed")
    return Offer(
        mid,
        _opus(section, formats),
        _credential(session, section, "ice-ufrag", 4),
        _credential(session, section, "ice-pwd", 22),
        _fingerprints(session, section),
    )


def _one_section(text: str) -> tuple[_Section, _Section]:
    if len(text) > MAX_OFFER or text.count("\n") > _MAX_LINES:
        raise BadSdp("the offer is too long")
    lines = text.splitlines()
    if not lines or lines[0] != "v=0":
        raise BadSdp("not an SDP")
    sections = [_Section()]
    for line in lines:
        if line.startswith("m="):
            sections.append(_Section(line[2:]))
        elif line.startswith("a="):
            name, _, value = line[2:].partition(":")
            sections[-1].attributes.setdefault(name, []).append(value)
    if len(sections) != 2:
        raise BadSdp(f"{len(sections) - 1} media sections, expected one")
    if len(sections[1].media.split()) < 4:
        raise BadSdp("the media line is malformed")
    return sections[0], sections[1]


def _check_direction(section: _Section) -> None:
    direction = next((name for name in _DIRECTIONS if name in section.attributes), "sendrecv")
    if direction not in ("sendrecv", "recvonly"):
        raise BadSdp(f"direction {direction}, expected sendrecv")


def _opus(section: _Section, formats: list[str]) -> int:
    for value in section.attributes.get("rtpmap", ()):
        found = _OPUS.match(value)
        if found and found[1] in formats and int(found[1]) < 128:
            return int(found[1])
    raise BadSdp("Opus is not offered")


def _credential(session: _Section, section: _Section, name: str, least: int) -> str:
    value = section.first(name) or session.first(name) or ""
    if not least <= len(value) <= 256 or not _TOKEN.match(value):
        raise BadSdp(f"a={name} is missing or malformed")
    return value


def _fingerprints(session: _Section, section: _Section) -> tuple[tuple[str, str], ...]:
    values = section.attributes.get("fingerprint") or session.attributes.get("fingerprint") or []
    found = [_FINGERPRINT.match(value) for value in values]
    if not found or len(found) > 4 or not all(found):
        raise BadSdp("a=fingerprint is missing or not of SHA-256, SHA-384 or SHA-512")
    return tuple((match[1].lower(), match[2].upper()) for match in found if match)


def build_answer(offer: Offer, answer: Answer) -> str:
    """The answer: ICE-lite, DTLS passive, one stream each way, all candidates at once."""
    host, port = answer.candidates[0]
    opus = offer.payload_type
    lines = [
        "v=0",
        f"o=- {answer.ssrc} {2 + answer.restarts} IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        *([f"a=group:BUNDLE {offer.mid}"] if offer.mid is not None else []),
        "a=msid-semantic: WMS *",
        f"m=audio {port} UDP/TLS/RTP/SAVPF {opus}",
        f"c=IN {'IP6' if ':' in host else 'IP4'} {host}",
        *([f"a=mid:{offer.mid}"] if offer.mid is not None else []),
        "a=sendrecv",
        "a=rtcp-mux",
        f"a=ice-ufrag:{answer.fragment}",
        f"a=ice-pwd:{answer.password}",
        *(f"a=fingerprint:{algorithm} {value}" for algorithm, value in answer.fingerprints),
        "a=setup:passive",
        f"a=rtpmap:{opus} opus/48000/2",
        f"a=fmtp:{opus} minptime=10;useinbandfec=1;usedtx=1;stereo=0;sprop-stereo=0;maxaveragebitrate=40000",
        "a=ptime:20",
        "a=maxptime:60",
        "a=msid:space sound",
        f"a=ssrc:{answer.ssrc} cname:space",
        *(_candidate(place, address, answer.restarts) for place, address in enumerate(answer.candidates)),
        "a=end-of-candidates",
    ]
    return "\r\n".join(lines) + "\r\n"


def _candidate(place: int, address: tuple[str, int], restarts: int) -> str:
    """A host candidate. Earlier ones are preferred (RFC 8445 section 5.1.2.1), those of a later answer more so.

    The lower priority of a pair counts first (section 6.1.2.3), so ours is below a browser's own. Chromium sends over
    the best pair that seems alive. With equal priorities it would go on with the old pair for 3.5 s after an ICE
    restart (measured), until it considers it dead.
    """
    preference = min(TYPE_PREFERENCE + restarts, MOST_PREFERENCE)
    priority = (preference << 24) + ((65_535 - place) << 8) + 255
    return f"a=candidate:{place + 1} 1 udp {priority} {address[0]} {address[1]} typ host"
