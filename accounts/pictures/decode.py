"""A program of its own that makes a square WebP of an uploaded picture: `python -I decode.py < upload > avatar.webp`.

It imports nothing of Spaces. Before it reads a byte it limits its own memory and time, so that a hostile file costs a
process that is about to end anyway. Only the pixels of the uploaded file survive: no EXIF, no second frame, no trailing
data. Colours are converted to sRGB by the profile in the file (ICC.1:2022), since browsers take WebP for sRGB.
"""

import io
import resource
import sys
import warnings
from typing import Final

from PIL import Image, ImageCms, ImageOps

SIDE: Final = 512  # pixels, at most
MOST_PIXELS: Final = 4096 * 3072  # what cameras of "12 megapixels" make at most
FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF")
QUALITY: Final = 82
MEMORY: Final = 512 * 1024 * 1024  # bytes of address space; 12 megapixels took 85 (JPEG) to 330 MB (WebP)
CPU_SECONDS: Final = 8
UNREADABLE, TOO_MANY_PIXELS, TOO_COSTLY = 3, 4, 5  # exit codes
SIXTEEN_TO_EIGHT: Final = 1 / 257  # 65535 becomes 255


class TooManyPixels(Exception):
    """The header says that the picture is larger than we decode."""


def limit() -> None:
    """Limit this process: memory, time, and no file of its own."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def square(content: bytes) -> bytes:
    """A square WebP of at most 512 x 512 pixels from the middle of the picture.

    Raises TooManyPixels, and any error of Pillow's readers for damaged files.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of odd metadata and large pictures; both are handled here
        return _encode(_open(content))


def _open(content: bytes) -> Image.Image:
    try:
        picture = Image.open(io.BytesIO(content), formats=FORMATS)  # reads only the header
    except Image.DecompressionBombError:
        raise TooManyPixels from None
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise TooManyPixels
    picture.draft(picture.mode, (SIDE * 2, SIDE * 2))  # a JPEG can be decoded straight to a smaller size
    return picture


def _encode(picture: Image.Image) -> bytes:
    profile = picture.info.get("icc_profile")
    upright = ImageOps.exif_transpose(_in_eight_bits(picture))
    side = min(SIDE, *upright.size)
    small = ImageOps.fit(_without_palette(upright), (side, side), Image.Resampling.LANCZOS)
    alpha = small.getchannel("A") if "A" in small.getbands() else None
    flat = Image.new("RGB", small.size, "white")
    flat.paste(_in_srgb(small, profile), mask=alpha)
    out = io.BytesIO()
    flat.save(out, "WEBP", quality=QUALITY, method=4, exif=b"", icc_profile=b"")
    return out.getvalue()


def _in_eight_bits(picture: Image.Image) -> Image.Image:
    """Grey of 16 bits in 8. Pillow would cut off everything above 255."""
    if not picture.mode.startswith("I"):
        return picture
    exif = picture.getexif()
    grey = picture.convert("I").point(lambda value: value * SIXTEEN_TO_EIGHT).convert("L")
    grey.info["exif"] = exif.tobytes()
    return grey


def _without_palette(picture: Image.Image) -> Image.Image:
    """Colours instead of numbers in a palette, and a channel for transparency that the palette or a chunk describes."""
    if picture.mode in ("P", "1", "PA") or "transparency" in picture.info:
        return picture.convert("RGBA")
    return picture.convert("RGBA") if picture.mode == "LA" else picture


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """The colours in sRGB. A profile that does not fit the picture is ignored, as browsers do."""
    opaque = picture.convert("RGB") if picture.mode in ("RGBA", "RGBX", "RGBa") else picture
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            made = ImageCms.profileToProfile(opaque, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
            made = None
        if made is not None:
            return made
    return opaque.convert("RGB")


def main() -> int:
    limit()
    try:
        made = square(sys.stdin.buffer.read())
    except TooManyPixels:
        return TOO_MANY_PIXELS
    except MemoryError:
        return TOO_COSTLY
    except Exception:  # Pillow's readers raise nearly any error for damaged files; all mean the same here
        return UNREADABLE
    sys.stdout.buffer.write(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
