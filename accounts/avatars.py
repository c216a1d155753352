"""Pictures of people: whatever a member uploads becomes a small square of our own making.

Nothing of the uploaded file survives but its pixels: no EXIF, no colour profile, no second frame, no trailing data.
"""

import io
import warnings
from typing import Final

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

SIDE: Final = 512  # pixels, at most
UPLOAD_BYTES: Final = 8 * 1024 * 1024
UPLOAD_PIXELS: Final = 40_000_000  # decoded: 160 MB at the most, for a moment
FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF")
QUALITY: Final = 82


def square_avatar(upload: "File[bytes]") -> "ContentFile[bytes]":
    """Make a square WebP of at most 512 x 512 pixels from the middle of `upload`.

    Raises ValidationError, with a text for the member, where it is too large, too many pixels, or no picture."""
    if upload.size > UPLOAD_BYTES:
        raise ValidationError(_("The picture is too large. At most 8 MB, please."), code="avatar_bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Pillow: odd metadata and large pictures are dealt with here
            return _encode(_open(upload))
    except Image.DecompressionBombError:
        raise _too_many_pixels() from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError):
        # The list is what Pillow's readers raise for damaged files; which one depends on the byte that is wrong.
        raise ValidationError(
            _("This file could not be read as a picture. Please choose a JPEG, PNG, WebP or GIF file."),
            code="avatar_unreadable",
        ) from None


def _open(upload: "File[bytes]") -> Image.Image:
    upload.seek(0)
    picture = Image.open(upload, formats=FORMATS)  # reads the header alone
    width, height = picture.size
    if width * height > UPLOAD_PIXELS:
        raise _too_many_pixels()
    picture.draft("RGB", (SIDE * 2, SIDE * 2))  # a JPEG can be decoded at a smaller size at once
    return picture


def _too_many_pixels() -> ValidationError:
    return ValidationError(_("The picture has too many pixels. At most 40 million, please."), code="avatar_pixels")


def _encode(picture: Image.Image) -> "ContentFile[bytes]":
    upright = ImageOps.exif_transpose(picture).convert("RGBA")
    side = min(SIDE, *upright.size)
    square = ImageOps.fit(upright, (side, side), Image.Resampling.LANCZOS)
    flat = Image.new("RGB", square.size, "white")
    flat.paste(square, mask=square.getchannel("A"))
    out = io.BytesIO()
    flat.save(out, "WEBP", quality=QUALITY, method=4, exif=b"", icc_profile=b"")
    return ContentFile(out.getvalue(), name="avatar.webp")
