"""Sound in files, for the tests that look into it."""

from typing import IO

import av
import numpy as np

from rooms.media.sound.opus import Pcm


def decoded(file: str | IO[bytes]) -> Pcm:
    """The samples of an Ogg file with Opus in it: an address, or the file itself."""
    with av.open(file, "r", format="ogg") as opened:
        return np.concatenate([frame.to_ndarray()[0] for frame in opened.decode(audio=0)]) * 32767
