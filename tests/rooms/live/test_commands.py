"""Each command of the wire is carried out by one line of one table."""

from rooms import protocol
from rooms.live.commands import ANSWERS, VERBS


def test_each_command_stands_in_one_of_the_two_tables() -> None:
    assert [*VERBS, *ANSWERS] == list(dict.fromkeys([*VERBS, *ANSWERS])), "none stands in both"
    assert {*VERBS, *ANSWERS} == set(protocol.COMMANDS)
