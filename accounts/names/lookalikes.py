"""What a handle or a name looks like: two texts with the same skeleton are taken for one another.

The idea is that of Unicode Technical Standard 39, section 4. Handles have a to z, digits and underscores only, so a
short table is enough for them. For names it has the Cyrillic and Greek letters that are drawn like Latin ones.
"""

import unicodedata
from typing import Any

from django.db import models

LONGEST = 60  # characters; a handle has 30 at most
LATIN = str.maketrans("015i8", "olslb")
OTHER_SCRIPTS = str.maketrans(
    "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0456\u0458\u0455\u0501\u04cf"  # Cyrillic
    "\u03b1\u03b5\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7"  # Greek
    "\u0131\u0261\u0251\u2113",  # a dotless i, single-storey g and a, a script l
    "abekmhopctyxijsdlaeikvoptuxigal",
)
PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))


def skeleton(text: str) -> str:
    """Letters and digits of `text` as they look, in lower case and without marks. The same for all look-alikes."""
    folded = unicodedata.normalize("NFKD", text).casefold().translate(OTHER_SCRIPTS)
    drawn = "".join(letter for letter in folded if letter.isalnum()).translate(LATIN)
    for pair, letter in PAIRS:
        drawn = drawn.replace(pair, letter)
    return drawn[:LONGEST]


class SkeletonField(models.CharField):
    """The skeleton of the handle in the same row, written whenever the row is."""

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        found = skeleton(str(getattr(model_instance, "handle", "")))
        setattr(model_instance, self.attname, found)
        return found
