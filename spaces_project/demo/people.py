"""Who is in the demonstration: five members whom a person may be, and those who act on their own."""

from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from spaces_project.demo.pictures import Look


@dataclass(frozen=True)
class Member:
    """A member as `seed_demo` makes them. `part` says what a person can try as them; it is empty for the others."""

    handle: str
    name: str
    bio: str
    look: Look
    part: str | Promise = ""
    follows: tuple[str, ...] = field(default=())
    followers: int = 0  # so many of the crowd


SHOWS = ("iris", "nora")  # those who host a Space that goes on; every member whom a person may be follows them

CAST = (
    Member(
        "hana",
        "Hana Mori",
        "Evenings about whatever moved us that day. Come in and sit down.",
        Look("#f3d9c4", "#2b1d18", "#8c2f39", "bun", ground="#e9c9a8"),
        _("hosts Spaces and has more than 600 followers."),
        (*SHOWS, "sol", "lior"),
        640,
    ),
    Member(
        "sol",
        "Sol Aker",
        "Plays the double bass and asks long questions.",
        Look("#8d5a3b", "#1c1512", "#2f5d62", "curls", ground="#a7c4bc"),
        _("follows Hana and asks to speak."),
        (*SHOWS, "hana", "lior"),
    ),
    Member(
        "lior",
        "Lior Katz",
        "Mostly listens.",
        Look("#e8c1a0", "#5a3a22", "#3d5a80", "short", ground="#c8d6e5"),
        _("listens, reacts and reports."),
        (*SHOWS, "hana", "sol"),
    ),
    Member(
        "dee",
        "Dee Wong",
        "New in town.",
        Look("#f1cfae", "#15110f", "#bc6c25", "bob", ground="#fefae0"),
        _("does not follow Hana and cannot find Hana's Spaces."),
        SHOWS,
    ),
    Member(
        "mo",
        "Mo Staff",
        "Looks after the house.",
        Look("#c68863", "#3b2a20", "#4a4e69", "beard", ground="#d8d8e6"),
        _("is staff and decides on reports."),
        SHOWS,
    ),
)

VOICES = (
    Member(
        "iris",
        "Iris Feld",
        "Forty square metres of roof, two bee hives, one watering can.",
        Look("#f0cdb0", "#a4502a", "#4f772d", "long", ground="#d8f3dc"),
        followers=640,
    ),
    Member(
        "tomas",
        "Tomas Reyes",
        "Tomatoes on the fifth floor. No lift.",
        Look("#b9805a", "#20160f", "#bc4749", "beard", ground="#f2e8cf"),
        follows=("iris",),
        followers=88,
    ),
    Member(
        "wen",
        "Wen Zhao",
        "A north balcony is still a balcony.",
        Look("#f3d3b3", "#17120f", "#6a994e", "bob", ground="#dde5b6"),
        follows=("iris", "nora"),
        followers=112,
    ),
    Member(
        "nora",
        "Nora Lind",
        "Amateur astronomer. Look up more often.",
        Look("#f6dcc8", "#d9b36c", "#1d3557", "long", ground="#a8b8d8"),
        followers=620,
    ),
    Member(
        "idris",
        "Idris Cole",
        "Four stars and a street lamp.",
        Look("#6f4a33", "#120d0a", "#e09f3e", "short", ground="#335c67"),
        follows=("nora",),
        followers=73,
    ),
    Member(
        "mira",
        "Mira Sand",
        "Collects seeds and stories.",
        Look("#d9a679", "#e07a5f", "#9c6644", "scarf", ground="#ede0d4"),
        follows=("iris", "nora", "hana"),
        followers=64,
    ),
    Member(
        "rex",
        "Rex Holler",
        "Always has the last word.",
        Look("#ecc4a2", "#7a7a7a", "#2b2d42", "bald", ground="#8d99ae"),
        follows=("iris", "mira"),
        followers=3,
    ),
    Member(
        "gus",
        "Gus Grabb",
        "Golden seeds. Ask for my prices!",
        Look("#f0cba8", "#b5651d", "#ffb703", "short", ground="#8ecae6"),
        follows=("hana", "mira"),
        followers=4,
    ),
)

LISTENERS = (
    Member(
        "yara",
        "Yara Nasser",
        "Architect. Draws on napkins.",
        Look("#cf9a6f", "#004e52", "#006d77", "scarf", ground="#83c5be"),
        follows=("iris", "hana"),
        followers=41,
    ),
    Member(
        "ole",
        "Ole Brandt",
        "Baker, so already awake.",
        Look("#f4d6be", "#e0c080", "#e07a5f", "beard", ground="#f4f1de"),
        follows=("iris", "nora", "mira"),
        followers=35,
    ),
    Member(
        "lena",
        "Lena Kova",
        "Nurse. Listens on the night shift.",
        Look("#f2d0b4", "#6b3e26", "#81b29a", "bun", ground="#e0ece4"),
        follows=("iris",),
        followers=29,
    ),
    Member(
        "sanjay",
        "Sanjay Rao",
        "Physics teacher with a weak spot for puns.",
        Look("#a06a45", "#15100c", "#5f0f40", "short", ground="#ffddd2"),
        follows=("nora", "hana"),
        followers=52,
    ),
    Member(
        "june",
        "June Abbot",
        "Sails when there is wind, reads when there is none.",
        Look("#f5d5c0", "#c44536", "#197278", "curls", ground="#edddd4"),
        follows=("nora",),
        followers=38,
    ),
    Member(
        "bea",
        "Bea Tanner",
        "Cartographer of small places.",
        Look("#8a5a3c", "#241812", "#ee9b00", "curls", ground="#94d2bd"),
        follows=("nora", "iris", "mira"),
        followers=46,
    ),
)

MEMBERS = (*CAST, *VOICES, *LISTENERS)
BY_HANDLE = {member.handle: member for member in MEMBERS}
