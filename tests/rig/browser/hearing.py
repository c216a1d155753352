"""Hearing a Space in a page of a real browser: checked in the received sound, not in a flag of the page."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from statistics import median
from typing import Any

PATIENCE_SECONDS = 45.0
# Taps the sound that the page's one <audio> element gets, and says how strong each frequency is in it (decibels).
LISTEN = """() => {
  const element = document.getElementById("room-audio");
  const capture = () => {
    const { src } = element;
    const over = () => window.testCapture.stream.getAudioTracks().every((track) => track.readyState === "ended");
    const stream = () => element.captureStream?.() ?? element.mozCaptureStream();
    if (window.testCapture?.src !== src || over()) window.testCapture = { src, stream: stream() };
    return window.testCapture.stream;
  };
  const stream = element.srcObject ?? (element.src ? capture() : null);
  const track = stream?.getAudioTracks().at(-1);
  if (!track) return null;
  if (window.testTap?.track !== track) {
    window.testTap?.context.close();
    const context = new AudioContext({ sampleRate: 48000 });
    const analyser = context.createAnalyser();
    analyser.fftSize = 8192;
    analyser.smoothingTimeConstant = 0;
    context.createMediaStreamSource(stream).connect(analyser);
    window.testTap = { track, context, analyser, bins: new Float32Array(analyser.frequencyBinCount) };
  }
  window.testTap.analyser.getFloatFrequencyData(window.testTap.bins);
  return Array.from(window.testTap.bins.subarray(0, 600));
}"""
HERTZ_PER_BIN = 48_000 / 8192
AUDIBLE_DECIBELS = -60.0
STANDS_OUT_DECIBELS = 10.0  # a click, as when a tone is cut off, is in all bins alike
NEAR, FAR = 10, 20  # bins from a tone; the bins between are what it stands out from


class Hearing(ABC):
    """A person at a browser, who hears what the page plays."""

    handle: str

    @abstractmethod
    def look(self, function: str) -> Any:
        """Call a JavaScript function in the page. Returns its answer."""

    @abstractmethod
    def pause(self, milliseconds: float) -> None:
        """Let the page go on for a moment."""

    def hears(self, frequency: int) -> bool:
        """Is this tone in the sound that arrives, stronger than everything around it?"""
        heard = self.look(LISTEN)
        if not heard:
            return False
        bins = [value if value is not None else -200.0 for value in heard]
        at = round(frequency / HERTZ_PER_BIN)
        around = median([*bins[at - FAR : at - NEAR], *bins[at + NEAR : at + FAR]])
        return max(bins[at - 2 : at + 3]) > max(AUDIBLE_DECIBELS, around + STANDS_OUT_DECIBELS)

    def until_hears(self, frequency: int) -> float:
        """Seconds until the tone is heard."""
        return until(lambda: self.hears(frequency), f"{self.handle} hears {frequency} Hz")

    def hears_within(self, frequency: int, seconds: float) -> bool:
        """Was the tone heard at any moment of the next `seconds`?"""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.hears(frequency):
                return True
            self.pause(40)
        return False

    def keeps_hearing(self, frequency: int, seconds: float = 1.5) -> bool:
        """Is the tone still heard at the end of the next `seconds`? What was on its way before is over by then."""
        end = time.monotonic() + seconds
        last = 0.0
        while time.monotonic() < end:
            last = time.monotonic() if self.hears(frequency) else last
            self.pause(40)
        return end - last < 0.5

    def last_heard(self, frequency: int, silence: float = 1.5) -> float:
        """Seconds from now until the tone was heard last: `silence` seconds without it follow."""
        start = last = time.monotonic()
        while time.monotonic() - last < silence:
            assert time.monotonic() - start < PATIENCE_SECONDS, f"{self.handle} still hears {frequency} Hz"
            if self.hears(frequency):
                last = time.monotonic()
            self.pause(40)
        return last - start


def until(check: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> float:
    """Wait until `check` holds. Returns the seconds it took."""
    start = time.monotonic()
    while not check():
        assert time.monotonic() - start < seconds, f"after {seconds} s still not: {what}"
        time.sleep(0.05)
    return time.monotonic() - start
