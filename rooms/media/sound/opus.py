"""libopus by ctypes: encoder, decoder with concealment and forward error correction, repacketizer.

PyAV's wheel carries libopus, and Debian has it, too. PyAV's codec interface offers neither concealment nor the
repacketizer. Everything here is mono at 48 kHz; PCM is a numpy array of int16. Calls keep the interpreter lock: a call
takes less than half a millisecond, a switch of threads can take longer.
"""

import ctypes
import ctypes.util
import importlib.util
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rooms.media.units import FRAME, SAMPLE_RATE

Pcm = npt.NDArray[np.int16]

MAX_FRAME = 5760  # 120 ms, the longest packet that RFC 6716 allows
MAX_PAYLOAD = 1275  # octets of one frame (RFC 6716 section 3.2.1)

_APPLICATION_VOIP = 2048
_SET_BITRATE, _SET_COMPLEXITY, _SET_FEC, _SET_LOSS, _SET_DTX = 4002, 4010, 4012, 4014, 4016
_RESET_STATE = 4028

# 20 ms of digital silence: fullband CELT, mono, code 0, and a frame whose silence flag is set (RFC 6716 section 4.3).
SILENT_PACKET = b"\xf8\xff\xfe"
# The same without a frame: nothing is sent from here on until there is sound (RFC 6716 section 3.1, DTX).
DTX_PACKET = SILENT_PACKET[:1]

# Samples of one frame by the five configuration bits of the first octet (RFC 6716 section 3.1, table 2).
_SILK, _HYBRID, _CELT = (480, 960, 1920, 2880), (480, 960), (120, 240, 480, 960)
_FRAME_SAMPLES = _SILK * 3 + _HYBRID * 2 + _CELT * 4


class OpusError(ValueError):
    """libopus refused a packet or a setting. The message is libopus's."""


def _library_path() -> str:
    spec = importlib.util.find_spec("av")
    if spec is not None and spec.origin:
        bundled = sorted(Path(spec.origin).parent.with_name("av.libs").glob("libopus-*.so*"))
        if bundled:
            return str(bundled[0])
    system = ctypes.util.find_library("opus")
    if system is None:
        raise ImportError("libopus not found: install PyAV's wheel or the system's libopus0")
    return system


def _load() -> ctypes.PyDLL:
    library = ctypes.PyDLL(_library_path())
    pointer, number = ctypes.c_void_p, ctypes.c_int
    library.opus_encoder_create.restype = pointer
    library.opus_decoder_create.restype = pointer
    library.opus_repacketizer_create.restype = pointer
    library.opus_encode.argtypes = [pointer, pointer, number, pointer, number]
    library.opus_decode.argtypes = [pointer, ctypes.c_char_p, number, pointer, number, number]
    library.opus_encoder_ctl.argtypes = [pointer, number]
    library.opus_decoder_ctl.argtypes = [pointer, number]
    library.opus_repacketizer_init.argtypes = [pointer]
    library.opus_repacketizer_init.restype = pointer
    library.opus_repacketizer_cat.argtypes = [pointer, ctypes.c_char_p, number]
    library.opus_repacketizer_out.argtypes = [pointer, pointer, number]
    for name in ("encoder", "decoder", "repacketizer"):
        destroy = getattr(library, f"opus_{name}_destroy")
        destroy.argtypes, destroy.restype = [pointer], None
    library.opus_strerror.restype = ctypes.c_char_p
    return library


_opus = _load()


def _checked(result: int) -> int:
    if result < 0:
        raise OpusError(_opus.opus_strerror(result).decode())
    return result


def samples_of(payload: bytes) -> int:
    """How many samples a packet has at 48 kHz, 0 if it is malformed (RFC 6716 section 3.1)."""
    if not payload:
        return 0
    code = payload[0] & 3
    frames = (1, 2, 2)[code] if code < 3 else int.from_bytes(payload[1:2], "big") & 0x3F
    samples = frames * _FRAME_SAMPLES[payload[0] >> 3]
    return samples if samples <= MAX_FRAME else 0


class Encoder:
    """A mono encoder for speech and music.

    `bitrate` is in bit/s, `complexity` 0 to 10, `expected_loss` in percent: above 0, the encoder spends bits on forward
    error correction.
    """

    def __init__(self, bitrate: int = 32_000, complexity: int = 5, expected_loss: int = 0, dtx: bool = False) -> None:
        error = ctypes.c_int()
        self._state = _opus.opus_encoder_create(SAMPLE_RATE, 1, _APPLICATION_VOIP, ctypes.byref(error))
        _checked(error.value)
        self._out = ctypes.create_string_buffer(MAX_PAYLOAD)
        self._set(_SET_COMPLEXITY, complexity)
        self._set(_SET_BITRATE, bitrate)
        self._set(_SET_DTX, int(dtx))
        self.expect_loss(expected_loss)

    def expect_loss(self, percent: int) -> None:
        """Prepare for this share of lost packets. Above 0, packets also carry a coarse copy of the one before."""
        self._set(_SET_FEC, int(percent > 0))
        self._set(_SET_LOSS, percent)

    def set_bitrate(self, bitrate: int) -> None:
        """Aim at this many bit/s from the next packet on."""
        self._set(_SET_BITRATE, bitrate)

    def encode(self, pcm: Pcm) -> bytes:
        """Encode 2.5 to 60 ms of contiguous int16 samples to one packet. Raises OpusError for other lengths."""
        size = _opus.opus_encode(self._state, pcm.ctypes.data, len(pcm), self._out, MAX_PAYLOAD)
        return self._out.raw[: _checked(size)]

    def reset(self) -> None:
        """Forget the past, as for a new stream."""
        _checked(_opus.opus_encoder_ctl(self._state, _RESET_STATE))

    def _set(self, request: int, value: int) -> None:
        _checked(_opus.opus_encoder_ctl(self._state, request, ctypes.c_int(value)))

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            _opus.opus_encoder_destroy(self._state)


class Decoder:
    """A mono decoder. libopus mixes stereo packets down."""

    def __init__(self) -> None:
        error = ctypes.c_int()
        self._state = _opus.opus_decoder_create(SAMPLE_RATE, 1, ctypes.byref(error))
        _checked(error.value)
        self._out = np.zeros(MAX_FRAME, np.int16)
        self._address = self._out.ctypes.data

    def decode(self, payload: bytes) -> Pcm:
        """Decode one packet. Raises OpusError if it is none."""
        return self._decode(payload, MAX_FRAME, 0)

    def conceal(self, samples: int = FRAME) -> Pcm:
        """Invent the sound of a lost packet from the sound before it. Repeated calls fade to silence."""
        return self._decode(None, samples, 0)

    def recover(self, following: bytes, samples: int = FRAME) -> Pcm:
        """Decode the copy of a lost packet in the packet that follows it, or conceal if there is no copy."""
        return self._decode(following, samples, 1)

    def reset(self) -> None:
        """Forget the past, as for a new stream."""
        _checked(_opus.opus_decoder_ctl(self._state, _RESET_STATE))

    def _decode(self, payload: bytes | None, samples: int, fec: int) -> Pcm:
        size = len(payload) if payload else 0
        count = _checked(_opus.opus_decode(self._state, payload, size, self._address, samples, fec))
        return self._out[:count].copy()

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            _opus.opus_decoder_destroy(self._state)


class Repacketizer:
    """Joins frames of the same kind into one longer packet without encoding again (RFC 6716 section 3.2)."""

    def __init__(self) -> None:
        self._state = _opus.opus_repacketizer_create()
        self._out = ctypes.create_string_buffer(3 * MAX_PAYLOAD)

    def join(self, payloads: list[bytes]) -> bytes:
        """One packet with the frames of all payloads. Raises OpusError if their configurations differ."""
        _opus.opus_repacketizer_init(self._state)
        for payload in payloads:
            _checked(_opus.opus_repacketizer_cat(self._state, payload, len(payload)))
        size = _opus.opus_repacketizer_out(self._state, self._out, len(self._out))
        return self._out.raw[: _checked(size)]

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            _opus.opus_repacketizer_destroy(self._state)
