"""The units of sound: samples at 48 kHz, the 20 ms frames of a tick, and milliseconds in samples."""

SAMPLE_RATE = 48_000  # samples a second
FRAME = 960  # samples of the 20 ms that one tick takes
MS = SAMPLE_RATE // 1000  # samples of a millisecond
