"""Pictures of people: every upload is decoded and encoded again as a small square.

Only the pixels of the uploaded file survive: no EXIF, no colour profile, no second frame, no trailing data.
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

    Raises ValidationError, with a text for the member, if the file is too large, or no picture that we can read.
    """
    if upload.size > UPLOAD_BYTES:
        raise ValidationError(_("The picture is too large. Choose one of at most 8 MB."), code="avatar_bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd metadata and large pictures; both are handled here
            return _encode(_open(upload))
    except Image.DecompressionBombError:
        raise _too_many_pixels() from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError):
        # Pillow's readers raise any of these for damaged files; which one depends on the damaged byte.
        raise ValidationError(
            _("This file cannot be read as a picture. Choose a JPEG, PNG, WebP or GIF file."),
            code="avatar_unreadable",
        ) from None


def _open(upload: "File[bytes]") -> Image.Image:
    upload.seek(0)
    picture = Image.open(upload, formats=FORMATS)  # reads only the header
    width, height = picture.size
    if width * height > UPLOAD_PIXELS:
        raise _too_many_pixels()
    picture.draft("RGB", (SIDE * 2, SIDE * 2))  # a JPEG can be decoded straight to a smaller size
    return picture


def _too_many_pixels() -> ValidationError:
    return ValidationError(
        _("The picture has too many pixels. Choose one of at most 40 million."), code="avatar_pixels"
    )


def _encode(picture: Image.Image) -> "ContentFile[bytes]":
    upright = ImageOps.exif_transpose(picture).convert("RGBA")
    side = min(SIDE, *upright.size)
    square = ImageOps.fit(upright, (side, side), Image.Resampling.LANCZOS)
    flat = Image.new("RGB", square.size, "white")
    flat.paste(square, mask=square.getchannel("A"))
    out = io.BytesIO()
    flat.save(out, "WEBP", quality=QUALITY, method=4, exif=b"", icc_profile=b"")
    return ContentFile(out.getvalue(), name="avatar.webp")
