"""How long a person hears nothing at all, whatever stream the page's <audio> element has at the moment."""

from tests.rig.browser.person import Person

# Every 10 ms: is there any sound in the last 10 ms? Keeps the longest silence, and all silences, in ms.
WATCH = """() => {
  const context = new AudioContext({ sampleRate: 48000 });
  const samples = new Float32Array(512);
  let stream = null, analyser = null;
  const watch = window.testGaps = { longest: 0, silentSince: 0, streams: 0, loud: 0 };
  const look = () => {
    const now = performance.now();
    const current = document.getElementById("room-audio").srcObject;
    if (current !== stream && current) {
      stream = current;
      watch.streams += 1;
      analyser = context.createAnalyser();
      analyser.fftSize = 512;
      context.createMediaStreamSource(stream).connect(analyser);
    }
    analyser?.getFloatTimeDomainData(samples);
    if (analyser && samples.some((sample) => Math.abs(sample) > 0.003)) {
      watch.silentSince = now;
      watch.loud += 1;
    }
    if (watch.silentSince) watch.longest = Math.max(watch.longest, now - watch.silentSince);
  };
  setInterval(look, 10);
}"""
TAKE = """() => {
  const { longest, streams, loud } = window.testGaps;
  Object.assign(window.testGaps, { longest: 0, loud: 0 });
  return [longest, streams, loud];
}"""


class Gaps:
    """The silences that one person hears, from now on."""

    def __init__(self, person: Person) -> None:
        self._person = person
        person.page.evaluate(WATCH)

    def longest(self) -> float:
        """Seconds of the longest silence since the last call."""
        longest, streams, loud = self._person.page.evaluate(TAKE)
        assert loud, f"{self._person.handle} heard nothing at all"
        print(f"{self._person.handle}: longest silence {longest:.0f} ms, {streams} streams so far")
        return float(longest) / 1000
