"""Numbers with words, for the output of commands, which is English. Pages use gettext."""


def counted(number: int, one: str, many: str = "") -> str:
    """`counted(1, "row")` is "1 row", `counted(2000, "row")` is "2,000 rows"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
