"""DTLS-SRTP with one browser, by aiortc's transport (RFC 5763, RFC 5764).

aiortc's RTCDtlsTransport does the handshake and derives the keys. Packets of sound never pass through it. Of its ICE
transport it needs only `role`, `_recv` and `_send`. This module alone uses its private parts.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiortc.rtcdtlstransport import (
    SRTP_PROFILES,
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    SRTPProtectionProfile,
    State,
)
from OpenSSL import SSL
from pylibsrtp import Policy, Session

log = logging.getLogger(__name__)

HANDSHAKE_SECONDS = 15.0
CIPHERS = b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305"  # RFC 9325
DTLS_1_2 = 0xFEFD  # the version's number on the wire (RFC 6347 section 4.1)
MAX_WAITING = 16  # DTLS records of one peer that wait to be read
KEYS_LABEL = b"EXTRACTOR-dtls_srtp"  # RFC 5764 section 4.2

# The thread that makes the sessions which encrypt at every tick. glibc gives each thread memory of its own, so the
# sessions lie side by side. In the memory of the event loop's thread they would fill the holes that handshakes leave,
# scattered, and encrypting a packet would take three times as long.
srtp_thread = ThreadPoolExecutor(1, "srtp")


class Certificate(RTCCertificate):
    """The certificate of this process, with one TLS context for all peers."""

    _context: SSL.Context | None = None

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        if self._context is None:
            self._context = super()._create_ssl_context(sorted(srtp_profiles, key=is_not_first))
            self._context.set_cipher_list(CIPHERS)
            self._context.set_min_proto_version(DTLS_1_2)
        return self._context

    @property
    def fingerprints(self) -> list[tuple[str, str]]:
        """Its SHA-256 fingerprint for an SDP, as (algorithm, value)."""
        return [(print_.algorithm, print_.value) for print_ in self.getFingerprints() if print_.algorithm == "sha-256"]


def is_not_first(profile: SRTPProtectionProfile) -> bool:
    """Sort AES-128-GCM first: as good as 256 bits for talks (RFC 9325 section 4.2), and less work."""
    return bool(profile.libsrtp_profile != Policy.SRTP_PROFILE_AEAD_AES_128_GCM)


class _Pipe:
    """An ICE transport for RTCDtlsTransport: records come in by `feed` and go out by `send`."""

    role = "controlled"

    def __init__(self, send: Callable[[bytes], object]) -> None:
        self._out = send
        self._records: asyncio.Queue[bytes | None] = asyncio.Queue()

    def feed(self, data: bytes | None) -> bool:
        """Queue a record, None for the end. Returns False if too many wait."""
        if data is not None and self._records.qsize() >= MAX_WAITING:
            return False
        self._records.put_nowait(data)
        return True

    async def _recv(self) -> bytes:
        data = await self._records.get()
        if data is None:
            raise ConnectionError("closed")
        return data

    async def _send(self, data: bytes) -> None:
        self._out(data)


class DtlsSession:
    """The handshake, then the SRTP sessions: `outgoing` protects, `incoming` unprotects.

    `ssrc` is the only stream that is sent, None if there may be several. `closed` is called once, when the handshake
    fails or the other side says goodbye.
    """

    outgoing: Session | None = None
    incoming: Session | None = None

    def __init__(
        self,
        certificate: RTCCertificate,
        send: Callable[[bytes], object],
        connected: Callable[[], object],
        closed: Callable[[], object],
        *,
        server: bool = True,
        ssrc: int | None = None,
    ) -> None:
        self._pipe = _Pipe(send)
        self._transport = RTCDtlsTransport(self._pipe, [certificate])  # type: ignore[arg-type]
        self._transport._set_role("server" if server else "client")
        self._connected, self._closed, self._ssrc = connected, closed, ssrc
        self._task: asyncio.Task[None] | None = None

    def start(self, fingerprints: Sequence[tuple[str, str]]) -> None:
        """Begin the handshake with a peer whose certificate has these fingerprints."""
        expected = RTCDtlsParameters([RTCDtlsFingerprint(algorithm, value) for algorithm, value in fingerprints])
        self._task = asyncio.get_running_loop().create_task(self._run(expected))

    def feed(self, data: bytes) -> bool:
        """Take a DTLS record of the peer. Returns False if it was dropped."""
        return self._pipe.feed(data)

    async def _run(self, expected: RTCDtlsParameters) -> None:
        transport: Any = self._transport
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                await transport.start(expected)
                if transport._state is State.CONNECTED:
                    await self._take_keys()
        except TimeoutError:
            self._end()
            return
        except Exception as error:  # input of a stranger in the code of libraries: one peer fails, the node goes on
            log.warning("a handshake failed: %s", error)
            self._end()
            return
        if transport._state is not State.CONNECTED:
            self._end()
            return
        transport.on("statechange", self._end)
        self._connected()

    async def _take_keys(self) -> None:
        transport: Any = self._transport
        self.incoming = transport._rx_srtp  # a browser may send before the rest is done
        if self._ssrc is not None:
            policy = self._policy(self._ssrc)
            transport._tx_srtp = await asyncio.get_running_loop().run_in_executor(srtp_thread, Session, policy)
        self.outgoing = transport._tx_srtp

    def _policy(self, ssrc: int) -> Policy:
        """The policy for one stream. A session for any stream would make a part of it with the first packet."""
        ssl: Any = self._transport._ssl
        chosen = ssl.get_selected_srtp_profile()
        profile = next(one for one in SRTP_PROFILES if one.openssl_profile == chosen)
        keys = ssl.export_keying_material(KEYS_LABEL, 2 * (profile.key_length + profile.salt_length))
        return Policy(profile.get_key_and_salt(keys, 1), Policy.SSRC_SPECIFIC, ssrc, profile.libsrtp_profile)

    def _end(self) -> None:
        closed, self._closed = self._closed, lambda: None
        closed()

    def abandon(self) -> None:
        """Forget the peer without a word. `closed` is not called."""
        self._closed = lambda: None
        if self._task is not None:
            self._task.cancel()
        self._pipe.feed(None)  # ends the task of aiortc that reads records

    async def close(self) -> None:
        """Say goodbye to the peer and forget it. `closed` is not called."""
        self.abandon()
        await self._transport.stop()
