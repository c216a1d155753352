"""Pictures of the demonstration's members, drawn from a few shapes and colours: head, hair, shoulders, ground."""

import io
from collections.abc import Callable
from dataclasses import dataclass

from django.core.files.base import ContentFile
from PIL import Image, ImageDraw

SIDE = 256  # pixels
FINE = 4  # drawn so many times larger, for smooth edges
QUALITY = 88

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Look:
    """Colours of skin, hair or scarf, clothes and ground, and how the hair is worn (a name of HAIR)."""

    skin: str
    hair: str
    clothes: str
    style: str
    ground: str


class Canvas:
    """A square of 100 by 100 units to draw ellipses and blocks on."""

    def __init__(self, ground: str) -> None:
        self.image = Image.new("RGB", (SIDE * FINE, SIDE * FINE), ground)
        self._draw = ImageDraw.Draw(self.image)

    def ellipse(self, box: Box, colour: str) -> None:
        self._draw.ellipse(self._scaled(box), fill=colour)

    def half(self, box: Box, colour: str) -> None:
        """The upper half of an ellipse."""
        self._draw.pieslice(self._scaled(box), 180, 360, fill=colour)

    def block(self, box: Box, colour: str, radius: float = 0) -> None:
        self._draw.rounded_rectangle(self._scaled(box), radius * SIDE * FINE / 100, fill=colour)

    def _scaled(self, box: Box) -> Box:
        left, top, right, bottom = (value * SIDE * FINE / 100 for value in box)
        return left, top, right, bottom


HEAD = (33.0, 22.0, 67.0, 66.0)


def _nothing(canvas: Canvas, look: Look) -> None:
    """Hair that has no part behind, or before, the head."""


def _long_behind(canvas: Canvas, look: Look) -> None:
    canvas.block((26, 34, 74, 84), look.hair, 12)
    canvas.ellipse((26, 15, 74, 63), look.hair)


def _bob_behind(canvas: Canvas, look: Look) -> None:
    canvas.block((26, 36, 74, 66), look.hair, 9)
    canvas.ellipse((26, 15, 74, 63), look.hair)


def _bun_behind(canvas: Canvas, look: Look) -> None:
    canvas.ellipse((40, 4, 60, 24), look.hair)
    canvas.ellipse((29, 16, 71, 60), look.hair)


def _curls_behind(canvas: Canvas, look: Look) -> None:
    for x, y in ((28, 38), (28, 26), (36, 16), (48, 12), (60, 16), (69, 26), (70, 38), (27, 48), (71, 48)):
        canvas.ellipse((x - 10, y - 8, x + 10, y + 12), look.hair)


def _scarf_behind(canvas: Canvas, look: Look) -> None:
    canvas.ellipse((26, 14, 74, 74), look.hair)
    canvas.block((34, 60, 66, 84), look.hair, 8)


def _fringe(canvas: Canvas, look: Look) -> None:
    canvas.half((32, 18, 68, 54), look.hair)


def _crop(canvas: Canvas, look: Look) -> None:
    canvas.half((31, 17, 69, 57), look.hair)
    canvas.block((37, 33, 63, 42), look.skin, 4)


def _beard(canvas: Canvas, look: Look) -> None:
    _crop(canvas, look)
    canvas.block((33, 48, 67, 68), look.hair, 15)
    canvas.block((38, 42, 62, 55), look.skin, 6)


def _ring(canvas: Canvas, look: Look) -> None:
    canvas.ellipse((29, 38, 36, 52), look.hair)
    canvas.ellipse((64, 38, 71, 52), look.hair)


def _hem(canvas: Canvas, look: Look) -> None:
    canvas.half((31, 18, 69, 52), look.hair)
    canvas.half((33, 28, 67, 56), look.skin)


Draw = Callable[[Canvas, Look], None]
# How hair is worn: what is drawn behind the head, and what before it.
HAIR: dict[str, tuple[Draw, Draw]] = {
    "long": (_long_behind, _fringe),
    "bob": (_bob_behind, _fringe),
    "bun": (_bun_behind, _fringe),
    "curls": (_curls_behind, _fringe),
    "scarf": (_scarf_behind, _hem),
    "short": (_nothing, _crop),
    "beard": (_nothing, _beard),
    "bald": (_nothing, _ring),
}


def drawn(look: Look) -> Image.Image:
    """A square picture of a person who looks like this."""
    canvas = Canvas(look.ground)
    behind, before = HAIR[look.style]
    behind(canvas, look)
    canvas.ellipse((10, 74, 90, 134), look.clothes)
    canvas.block((43, 58, 57, 80), look.skin, 6)
    canvas.ellipse((40, 72, 60, 84), look.skin)
    canvas.ellipse(HEAD, look.skin)
    before(canvas, look)
    return canvas.image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def picture(look: Look) -> "ContentFile[bytes]":
    """The picture as a file for `User.change_avatar`."""
    out = io.BytesIO()
    drawn(look).save(out, "WEBP", quality=QUALITY)
    return ContentFile(out.getvalue(), name="avatar.webp")
