"""Numbers before words, for what commands say. (Pages say it through gettext.)"""


def counted(number: int, one: str, many: str = "") -> str:
    """`counted(1, "row")` is "1 row", `counted(2000, "row")` is "2,000 rows"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
