"""What members and staff may write: one function for names, titles, descriptions, requests, reports and decisions."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

STACKED_MARKS = 2  # in a row, of those that fonts pile up without end, such as accents
MARKS = 4  # in a row, of all that take no room: pointed Hebrew, Hindi and Tibetan need three or four
STACKING_CLASS = 200  # canonical combining classes from here on are placed above or below whatever stands there
VIRAMA_CLASS = 9

ZWNJ, ZWJ, TEXT_STYLE, EMOJI_STYLE, KEYCAP = "\u200c", "\u200d", "\ufe0e", "\ufe0f", "\u20e3"
STYLES = TEXT_STYLE + EMOJI_STYLE
LINE_ENDS = re.compile("\r\n?|[\x85\u2028\u2029]")
# Letters, symbols and marks that are assigned, are no control characters, and show nothing.
BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\ufffc") | frozenset(
    "\U00013441\U00013442\U00016fe4\U0001d159"
)
# England, Scotland and Wales: the only sequences of tags with which Unicode recommends flags (UTS 51, annex C).
TAGGED = ["".join(chr(0xE0000 + ord(letter)) for letter in region) for region in ("gbeng", "gbsct", "gbwls")]
TAG_FLAGS = re.compile(f"\U0001f3f4(?:{'|'.join(TAGGED)})\U000e007f")
JOINING_SCRIPTS = frozenset(("ARABIC", "SYRIAC", "MANDAIC", "NKO", "MONGOLIAN", "ADLAM", "HANIFI"))
SKIN_TONES = frozenset("\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")
EMOJI_AMONG_OTHERS = frozenset("\u203c\u2049\u2139\u3030")  # emoji that are punctuation or letters


def plain_text(value: str, *, lines: bool = False, required: bool = False) -> str:
    """`value` in NFC with even spaces.

    Line ends become LF if `lines` are allowed, and are refused otherwise. `required`: something must be visible.
    Raises ValidationError for what nobody sees, and for towers of marks.
    """
    text = unicodedata.normalize("NFC", value)
    if lines:
        text = LINE_ENDS.sub("\n", text).replace("\t", " ")
    _refuse_unseen(text, "\n" if lines else "")
    text = text.strip() if lines else " ".join(text.split())
    _refuse_towers(text)
    if required and not any(_is_visible(character) for character in text):
        raise ValidationError(_("Write something that can be seen."), code="text_invisible")
    return text


def browser_length(text: str) -> int:
    """How long a browser says `text` is: UTF-16 code units with line ends of one unit (HTML, `maxlength`)."""
    return len(LINE_ENDS.sub("\n", text).encode("utf-16-le", "surrogatepass")) // 2


def _refuse_unseen(text: str, allowed: str) -> None:
    text = TAG_FLAGS.sub("\U0001f3f4", text)
    for at, character in enumerate(text):
        if character not in allowed and _is_unseen(character) and not _joins(text, at):
            raise ValidationError(
                _("This text contains an invisible or control character (%(code)s). Please type it without."),
                code="text_characters",
                params={"code": f"U+{ord(character):04X}"},
            )


def _is_unseen(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "Cn":
        return not _is_emoji(character)  # those of a Unicode newer than this Python
    return category[0] == "C" or category in ("Zl", "Zp") or character in BLANK or _selects_variation(character)


def _selects_variation(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def _joins(text: str, at: int) -> bool:
    """Whether the joiner or style at this place has a use there: RFC 5892, appendix A, and sequences of emoji."""
    before, after = text[at - 1] if at else "", text[at + 1 : at + 2]
    if not before:
        return False
    if text[at] in STYLES:
        return _is_emoji(before) or (before in "0123456789#*" and after == KEYCAP)
    if text[at] not in (ZWNJ, ZWJ):
        return False
    if unicodedata.combining(before) == VIRAMA_CLASS or (_is_joining(before) and _is_joining(after)):
        return True
    return text[at] == ZWJ and _is_emoji(after) and (_is_emoji(before) or before in STYLES)


def _is_emoji(character: str) -> bool:
    """Whether an emoji may be made of it. The block at the end is reserved for those to come (UTS 51, 1.4.1)."""
    if not character or character in BLANK:
        return False
    symbol = unicodedata.category(character) in ("So", "Sm") or character in SKIN_TONES | EMOJI_AMONG_OTHERS
    return symbol or "\U0001f000" <= character <= "\U0001faff"


def _is_joining(character: str) -> bool:
    """Whether it is a letter or a mark of a script whose letters join."""
    if not character or unicodedata.category(character)[0] not in "LM":
        return False
    return re.split("[ -]", unicodedata.name(character, ""))[0] in JOINING_SCRIPTS


def _refuse_towers(text: str) -> None:
    """Refuse marks that stand on nothing, and too many on one letter."""
    marks = stacked = 0
    for at, character in enumerate(text):
        category = unicodedata.category(character)
        if category[0] == "M" and character not in STYLES and not text[:at][-1:].strip():
            raise ValidationError(_("An accent needs a letter to stand on."), code="text_marks")
        if character in (ZWNJ, ZWJ):
            continue
        on_top = category in ("Mn", "Me") and character not in STYLES
        piles_up = on_top and (category == "Me" or unicodedata.combining(character) >= STACKING_CLASS)
        marks, stacked = (marks + 1, stacked + piles_up) if on_top else (0, 0)
        if marks > MARKS or stacked > STACKED_MARKS:
            raise ValidationError(_("This text has too many accents on one letter."), code="text_marks")


def _is_visible(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNPS" or _is_emoji(character)
