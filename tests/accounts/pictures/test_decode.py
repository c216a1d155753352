"""What a picture becomes: a small square in sRGB, upright, without anything that was not a pixel."""

import io
import random
import struct
import subprocess
import sys
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from accounts.pictures import decode
from accounts.pictures.decode import TooManyPixels, square

Colour = tuple[int, int, int]


def picture(size: tuple[int, int] = (800, 600), form: str = "JPEG", mode: str = "RGB", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, "red" if mode in {"RGB", "P"} else 0).save(out, form, **options)
    return out.getvalue()


def written(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def bomb(side: int) -> bytes:
    """A PNG of a few bytes that says that it has `side` x `side` pixels."""
    small = picture((8, 8), "PNG")
    header = b"IHDR" + struct.pack(">II", side, side) + small[24:29]
    return small[:12] + header + struct.pack(">I", zlib.crc32(header)) + small[33:]


def made(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(square(content)))


def colour(content: bytes, at: tuple[int, int] = (10, 10)) -> Colour:
    return made(content).convert("RGB").getpixel(at)  # type: ignore[return-value]


def near(one: Colour, other: Colour) -> bool:
    """WebP changes colours a little."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) <= 8


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
def test_every_format_becomes_a_square_webp(form: str) -> None:
    one = made(picture((900, 600), form))
    assert (one.format, one.size, one.mode) == ("WEBP", (512, 512), "RGB")


@pytest.mark.parametrize("mode", ["L", "P", "1", "I;16", "LA", "CMYK"])
def test_odd_colour_models_are_read(mode: str) -> None:
    assert made(picture((60, 40), "JPEG" if mode == "CMYK" else "PNG", mode)).size == (40, 40)


def test_a_small_picture_stays_small() -> None:
    assert made(picture((30, 50))).size == (30, 30)


def test_grey_of_sixteen_bits_keeps_its_shades() -> None:
    grey = Image.new("I;16", (40, 40), 0x8080)
    assert near(colour(written(grey)), (128, 128, 128))


def test_cmyk_keeps_its_colour() -> None:
    assert near(colour(written(Image.new("CMYK", (40, 40), (0, 255, 255, 0)), "JPEG", quality=95)), (255, 0, 0))


def test_a_palette_keeps_its_colours() -> None:
    painted = Image.new("RGB", (40, 40), (10, 200, 30)).convert("P", palette=Image.Palette.ADAPTIVE)
    assert near(colour(written(painted)), (10, 200, 30))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_becomes_white(mode: str) -> None:
    clear = Image.new(mode, (20, 20), 0)
    assert min(colour(written(clear))) >= 250


def test_a_transparent_place_of_a_palette_becomes_white() -> None:
    painted = Image.new("P", (20, 20), 0)
    painted.putpalette([255, 0, 0])
    assert min(colour(written(painted, transparency=0))) >= 250


def test_the_profile_of_srgb_changes_nothing() -> None:
    same = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert near(colour(written(Image.new("RGB", (40, 40), (10, 120, 240)), icc_profile=same)), (10, 120, 240))


def test_a_wide_colour_is_more_vivid_than_its_numbers() -> None:
    """The green of a wide profile lies outside sRGB, so less of red and blue is left than without the profile."""
    picture_ = Image.new("RGB", (40, 40), (120, 230, 120))
    plain, wide = colour(written(picture_)), colour(written(picture_, icc_profile=wide_profile()))
    assert wide[0] < plain[0] - 20


def wide_profile() -> bytes:
    """sRGB with the red and blue colorants of Display P3 and a green further out (ICC.1:2022, 9.2.44)."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack_from(">I", profile, 128)[0]
    columns = {b"rXYZ": (0.5151, 0.2412, -0.0011), b"gXYZ": (0.2919, 0.6922, 0.0419), b"bXYZ": (0.1571, 0.0666, 0.7841)}
    for number in range(count):
        name, offset, _size = struct.unpack_from(">4sII", profile, 132 + 12 * number)
        if name in columns:
            struct.pack_into(">3i", profile, offset + 8, *(round(value * 65536) for value in columns[name]))
    return bytes(profile)


@pytest.mark.parametrize("profile", [b"no profile", b"\0" * 200])
def test_a_broken_profile_is_ignored(profile: bytes) -> None:
    assert near(colour(written(Image.new("RGB", (40, 40), (200, 30, 30)), icc_profile=profile)), (200, 30, 30))


def test_a_profile_of_another_kind_is_ignored() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert near(colour(written(Image.new("L", (40, 40), 90), icc_profile=profile)), (90, 90, 90))


def test_metadata_is_gone_and_the_picture_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: to be turned by 90 degrees
    exif[0x010F] = "SECRETCAMERA"
    source = Image.new("RGB", (100, 100), "blue")
    source.paste("red", (0, 0, 100, 50))
    content = square(written(source, "JPEG", exif=exif, quality=95))
    assert b"SECRETCAMERA" not in content
    assert b"EXIF" not in content
    red, _, blue = colour(written(source, "JPEG", exif=exif, quality=95), (90, 50))
    assert red > blue


def test_of_an_animation_the_first_frame_is_taken() -> None:
    frames = [Image.new("RGB", (40, 40), name) for name in ("red", "blue")]
    for form in ("GIF", "WEBP", "PNG"):
        moving = written(frames[0], form, save_all=True, append_images=frames[1:], duration=100)
        assert near(colour(moving), (254, 0, 0)), form


@pytest.mark.parametrize("side", [3_600, 10_000, 20_000])  # beyond our cap, Pillow's warning, Pillow's refusal
def test_a_bomb_is_refused_by_its_header(side: int) -> None:
    with pytest.raises(TooManyPixels):
        square(bomb(side))


def test_what_a_camera_of_twelve_megapixels_makes_is_taken() -> None:
    assert made(picture((4096, 3072))).size == (512, 512)


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"<svg/>", picture()[:400], picture(form="BMP")],
    ids=["empty", "text", "only a signature", "svg", "cut off", "a format we do not take"],
)
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises((OSError, SyntaxError, ValueError)):
        square(content)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
def test_damaged_pictures_are_refused_or_read(form: str) -> None:
    chance = random.Random(form)
    whole = picture((64, 48), form)
    for _ in range(150):
        broken = bytearray(whole)
        for _ in range(chance.randrange(1, 6)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        with suppress(Exception):
            square(bytes(broken))


def test_the_program_limits_its_own_memory_and_time() -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(Path(decode.__file__).parent)!r})\n"
        "import decode, resource\n"
        "decode.limit()\n"
        "print(resource.getrlimit(resource.RLIMIT_CPU)[1], resource.getrlimit(resource.RLIMIT_AS)[1])\n"
        "try:\n    bytes(1 << 30)\nexcept MemoryError:\n    print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(decode.CPU_SECONDS), str(decode.MEMORY), "refused"]
