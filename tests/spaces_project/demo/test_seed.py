"""`seed_demo`: members with faces, none of whom has an empty home page."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from accounts.models import Follow, User
from spaces_project.demo.people import BY_HANDLE, CAST, MEMBERS, SHOWS, VOICES
from spaces_project.demo.pictures import SIDE, drawn, picture
from spaces_project.demo.seed import seed

pytestmark = pytest.mark.django_db
PASSWORD = "four-made-up-words"


@pytest.fixture
def _demo(settings: object, tmp_path: Path) -> None:
    settings.DEMO, settings.DEMO_PASSWORD, settings.MEDIA_ROOT = True, PASSWORD, tmp_path  # type: ignore[attr-defined]


@pytest.fixture
def people(_demo: None) -> dict[str, User]:
    call_command("seed_demo")
    return {user.handle: user for user in User.objects.filter(handle__in=BY_HANDLE)}


def test_each_member_has_a_name_a_bio_and_a_picture_of_their_own(people: dict[str, User]) -> None:
    assert set(people) == set(BY_HANDLE)
    for handle, user in people.items():
        assert (user.display_name, user.bio) == (BY_HANDLE[handle].name, BY_HANDLE[handle].bio)
        with user.avatar.open() as file, Image.open(file) as image:
            assert (image.format, image.size) == ("WEBP", (SIDE, SIDE))
    assert len({picture(member.look).read() for member in MEMBERS}) == len(MEMBERS)


def test_a_picture_has_the_colours_of_its_look() -> None:
    look = BY_HANDLE["iris"].look
    image = drawn(look)
    assert image.getpixel((2, 2)) == tuple(bytes.fromhex(look.ground[1:]))
    assert image.getpixel((SIDE // 2, SIDE // 2)) == tuple(bytes.fromhex(look.skin[1:]))


@pytest.mark.parametrize("handle", [member.handle for member in CAST])
def test_every_member_of_the_cast_follows_the_hosts_and_finds_others(people: dict[str, User], handle: str) -> None:
    me = people[handle]
    assert all(people[host].is_followed_by(me) for host in SHOWS)
    suggested = User.objects.suggestions_for(me)[:8]
    assert len(suggested) == 8
    assert all(person.avatar for person in suggested)


def test_those_who_host_may(people: dict[str, User]) -> None:
    for handle in ("hana", *SHOWS):
        assert people[handle].followers_missing() == 0


def test_dee_is_a_stranger_to_hana(people: dict[str, User]) -> None:
    assert not people["hana"].is_followed_by(people["dee"])


def test_only_the_cast_has_a_password(people: dict[str, User]) -> None:
    cast = {member.handle for member in CAST}
    assert all(people[handle].check_password(PASSWORD) for handle in cast)
    assert not any(people[handle].has_usable_password() for handle in set(people) - cast)


def test_counts_of_followers_are_those_of_the_rows(people: dict[str, User]) -> None:
    for user in people.values():
        assert user.follower_count == Follow.objects.filter(followee=user).count()


def test_seeding_again_changes_nothing(people: dict[str, User]) -> None:
    before = list(User.objects.order_by("handle").values_list()), Follow.objects.count()
    call_command("seed_demo")
    assert (list(User.objects.order_by("handle").values_list()), Follow.objects.count()) == before


def test_seeding_again_undoes_no_decision(people: dict[str, User]) -> None:
    """Whom a member blocked stays out, and a chosen picture stays."""
    people["hana"].block(people["gus"])
    people["hana"].block(User.objects.get(handle="ada_weber"))
    people["lior"].change_avatar(picture(BY_HANDLE["mo"].look))
    chosen = people["lior"].avatar.name
    call_command("seed_demo")
    assert not people["hana"].is_followed_by(people["gus"])
    people["lior"].refresh_from_db()
    assert people["lior"].avatar.name == chosen


def test_it_refuses_without_a_demonstration(settings: object) -> None:
    with pytest.raises(CommandError, match="known passwords"):
        call_command("seed_demo")


def test_whom_a_voice_follows_is_there() -> None:
    assert all(other in BY_HANDLE for member in MEMBERS for other in member.follows)
    assert all(host in {voice.handle for voice in VOICES} for host in SHOWS)


def test_a_picture_whose_file_is_gone_is_drawn_again(people: dict[str, User]) -> None:
    lost = people["lior"].avatar
    lost.storage.delete(str(lost.name))
    seed()
    again = User.objects.get(handle="lior").avatar
    assert again.name != lost.name
    assert again.storage.exists(str(again.name))
