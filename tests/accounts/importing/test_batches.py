"""Members and follows from files: what comes in, what is refused with its line, what a second run does."""

import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.management import CommandError, call_command
from django.db.models import Sum
from django.test import Client

from accounts.mail.decoys import NO_ONE
from accounts.models import Follow, User

Run = Callable[..., tuple[str, str]]


@pytest.fixture
def run(db: None, tmp_path: Path) -> Run:
    """`run(command, text)` imports a file of that text and returns what was said on both outputs."""

    def import_text(command: str, text: str | bytes, fails: str = "") -> tuple[str, str]:
        file = tmp_path / "file.csv"
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        out, err = StringIO(), StringIO()
        if fails:
            with pytest.raises(CommandError, match=fails):
                call_command(command, file, stdout=out, stderr=err, no_color=True)
        else:
            call_command(command, file, stdout=out, stderr=err, no_color=True)
        return out.getvalue(), err.getvalue()

    return import_text


MEMBERS = 'handle,display_name,email,bio\nHana,Hana Mori,HANA@example.org,"Radio,\nmostly"\n@sol,,,\n'


def test_members_come_in_without_a_password(run: Run) -> None:
    out, err = run("import_members", MEMBERS)
    assert "Done. 2 new members, 0 already known, 0 faulty" in out
    assert err == ""
    hana = User.objects.get(handle="hana")
    assert (hana.display_name, hana.email, hana.bio) == ("Hana Mori", "hana@example.org", "Radio,\nmostly")
    assert not hana.has_usable_password()
    assert User.objects.get(handle="sol").name == "sol"


def test_a_second_run_changes_nothing(run: Run) -> None:
    run("import_members", MEMBERS)
    User.objects.filter(handle="hana").update(display_name="Hana herself")
    out, _ = run("import_members", MEMBERS)
    assert "0 new members, 2 already known" in out
    assert User.objects.get(handle="hana").display_name == "Hana herself"


ADDRESSES = (
    "handle,email,email_confirmed\nhana,HANA@example.org,Yes\nsol,sol@example.org,no\nlior,lior@example.org,\n"
    "dee,hana@example.org,yes\n"
)


def test_an_address_counts_if_the_file_says_that_it_is_confirmed(run: Run) -> None:
    """The second `yes` for one address counts for nothing, in the same file and in a later one."""
    assert "4 new members" in run("import_members", ADDRESSES)[0]
    run("import_members", "handle,email,email_confirmed\nkim,hana@example.org,yes\n")
    assert "4 already known" in run("import_members", ADDRESSES)[0]
    rows = EmailAddress.objects.order_by("user__handle").values_list("user__handle", "email", "verified", "primary")
    assert list(rows) == [
        ("hana", "hana@example.org", True, True),
        ("lior", "lior@example.org", False, True),
        ("sol", "sol@example.org", False, True),
    ]


@pytest.mark.parametrize(("said", "sent"), [("yes", ["hana@example.org"]), ("no", [NO_ONE])])
def test_an_imported_member_sets_a_password_at_a_confirmed_address(
    run: Run, client: Client, settings: Any, said: str, sent: list[str]
) -> None:
    settings.EMAIL_HOST = "smtp.example.org"
    run("import_members", f"handle,email,email_confirmed\nhana,hana@example.org,{said}\n")
    client.post("/accounts/password/reset/", {"email": "hana@example.org"})
    assert [letter.to for letter in mail.outbox] == [sent]


def test_another_word_than_yes_and_no_is_a_fault(run: Run) -> None:
    _, err = run("import_members", "handle,email,email_confirmed\nhana,a@b.example,1\n", fails="1 faulty row")
    assert err == "line 2: email_confirmed: Write yes or no.\n"


def test_one_of_a_thing_is_said_as_one(run: Run) -> None:
    out, err = run("import_members", "handle,bio\nhana,\nno\n", fails="1 faulty row of 2, named above;")
    assert "2 rows read: 1 new member" in out
    assert err == "line 3: has 1 column instead of 2\n"


def test_what_is_no_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("import_members", tmp_path)
    assert str(refused.value) == f"{tmp_path}: Is a directory"
    with pytest.raises(CommandError, match=r"No such file or directory$"):
        call_command("import_members", tmp_path / "none.csv")


def test_bad_members_are_reported_with_their_lines_and_the_others_come_in(run: Run) -> None:
    text = (
        "handle,display_name,email\nhana,Hana,\nno,Short,\nsol,Sol,not-an-address\nadmin,Ad,\nlior\n"
        f"dee,{'x' * 51},\nmo,a\u202eb,\n\nkim,Kim,\n"
    )
    out, err = run("import_members", text, fails="6 faulty rows of 8, named")
    lines = err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["line 3", "line 4", "line 5", "line 6", "line 7", "line 8"]
    assert "handle: A handle has 3 to 30 characters" in lines[0]
    assert "email: Enter a valid email address" in lines[1]
    assert "reserved" in lines[2]
    assert "has 1 column instead of 3" in lines[3]
    assert "at most 50 characters" in lines[4]
    assert "handle:" in lines[5]
    assert set(User.objects.values_list("handle", flat=True)) == {"hana", "kim"}
    assert "2 new members" in out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "missing: handle"),
        ("name,email\nhana,x\n", "missing: handle"),
        ("handle,password\nhana,x\n", "unknown columns: password"),
    ],
)
def test_a_wrong_header_brings_nothing_in(run: Run, text: str, said: str) -> None:
    run("import_members", text, fails=said)
    assert not User.objects.exists()


def test_a_missing_file_is_one_clear_line(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_members", tmp_path / "none.csv")


def test_what_is_not_utf8_or_not_csv_is_a_bad_row(run: Run) -> None:
    rows = [b"handle,bio", b"hana,\xff\xfe", b"sol,\0", b"lior," + b"x" * 140_000, b"dee,"]
    _, err = run("import_members", b"\n".join(rows), fails="3 faulty rows of 4")
    assert "line 2: is not UTF-8, perhaps Latin-1" in err
    assert "line 3: holds a NUL character" in err
    assert "line 4: is not CSV" in err
    assert User.objects.filter(handle="dee").exists()


def test_follows_come_in_counted_and_accepted(run: Run, hana: User, sol: User, lior: User) -> None:
    User.objects.filter(pk=sol.pk).update(approves_followers=True)
    out, _ = run("import_follows", "follower,followee\nlior,hana\nSOL,@hana\nlior,hana\nlior,sol\n")
    assert "3 new follows, 1 already known, 0 faulty" in out
    hana.refresh_from_db()
    assert hana.follower_count == 2
    follow = Follow.objects.get(follower=lior, followee=sol)
    assert follow.state == Follow.State.ACCEPTED
    assert follow.accepted_at is not None


def test_follows_can_be_imported_again(run: Run, hana: User, sol: User, lior: User) -> None:
    lior.follow(hana)
    for _ in range(2):
        run("import_follows", "followee,follower\nhana,lior\nhana,sol\n")
    hana.refresh_from_db()
    assert hana.follower_count == Follow.objects.filter(followee=hana).count() == 2


def test_a_request_stays_a_request(run: Run, hana: User, lior: User) -> None:
    User.objects.filter(pk=hana.pk).update(approves_followers=True)
    lior.follow(hana)
    run("import_follows", "follower,followee\nlior,hana\n")
    hana.refresh_from_db()
    assert hana.follower_count == 0
    assert not hana.is_followed_by(lior)


def test_bad_follows_are_reported_with_their_lines(run: Run, hana: User, lior: User, dee: User) -> None:
    hana.block(dee)
    text = "follower,followee\nghost,hana\nlior,ghost\nhana,hana\ndee,hana\nhana,dee\nlior\nlior,hana\n"
    _, err = run("import_follows", text, fails="6 faulty rows of 7, named")
    assert err.splitlines() == [
        "line 2: there is no member @ghost",
        "line 3: there is no member @ghost",
        "line 4: @hana cannot follow themselves",
        "line 5: one of @dee and @hana has blocked the other",
        "line 6: one of @hana and @dee has blocked the other",
        "line 7: has 1 column instead of 2",
    ]
    hana.refresh_from_db()
    assert hana.follower_count == Follow.objects.count() == 1


def test_batches_add_up(run: Run, hana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.management.commands.import_follows.Command.batch_size", 3)
    User.objects.bulk_create([User(handle=f"fan_{number}") for number in range(10)])
    rows = "".join(f"fan_{number},hana\n" for number in range(10))
    out, _ = run("import_follows", "follower,followee\n" + rows)
    assert "3 rows read" in out
    assert "Done. 10 new follows" in out
    hana.refresh_from_db()
    assert hana.follower_count == 10


@pytest.mark.parametrize("command", ["import_members", "import_follows"])
def test_help_shows_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command(command, "--help")
    said = capsys.readouterr().out
    assert f"manage.py {command}" in said
    assert "Example:" in said


@pytest.mark.proof
def test_a_million_follows_come_in(db: None, tmp_path: Path) -> None:
    """Of twenty thousand members, most of them following a few; three minutes are promised."""
    people = 20_000
    User.objects.bulk_create(User(handle=f"m{number:05}") for number in range(people))
    file = tmp_path / "follows.csv"
    with file.open("w") as out:
        out.write("follower,followee\n")
        for number in range(1_000_000):
            follower, step = number % people, number // people + 1
            out.write(f"m{follower:05},m{(follower + step * step) % people:05}\n")
    start, said = time.monotonic(), StringIO()
    call_command("import_follows", file, stdout=said, no_color=True)
    print(f"1,000,000 follows in {time.monotonic() - start:.0f} s")
    assert "Done. 1,000,000 new follows, 0 already known, 0 faulty" in said.getvalue()
    assert User.objects.aggregate(all=Sum("follower_count"))["all"] == 1_000_000
