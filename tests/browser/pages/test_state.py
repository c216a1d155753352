"""state.js and protocol.js alone: pure functions, called in the browser that will run them."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.rig.browser.person import Person

pytestmark = pytest.mark.browser
Reduce = Callable[..., dict[str, Any]]

RUN = """async ([frames]) => {
  const { initial, reduce, missed, myPlace, myRole, notYetInEffect, outdated } = await import("rooms/wire/state.js");
  let state = initial();
  const gaps = [];
  for (const frame of frames) {
    gaps.push(missed(state, frame));
    state = reduce(state, frame);
  }
  return { ...state, gaps, place: myPlace(state), role: myRole(state), behind: notYetInEffect(state),
    outdated: outdated(state) };
}"""


def person(name: str, role: str = "listener", mute: str = "self") -> dict[str, Any]:
    facts = {"participant": name, "handle": name, "name": name, "avatar": None}
    return facts | {"role": role, "mute": mute, "away": False}


def snapshot(**changed: Any) -> dict[str, Any]:
    """lior's view of a Space of hana's, with sol on the stage."""
    facts = {
        "space": "s", "title": "Tea", "description": "", "audience": "followers", "host": "hana",
        "started_at": 0.0, "max_speakers": 11, "host_came": True, "host_away_until": None,
    }  # fmt: skip
    return {
        "type": "snapshot", "seq": 7, "version": 2, "now": 100.0, "space": facts,
        "you": {"participant": "lior", "notice_accepted": False},
        "stage": [person("hana", "host"), person("sol", "speaker")],
        "requests": [], "listeners": 1, "faces": [person("lior")], "standing": 3, "in_effect": 3,
    } | changed  # fmt: skip


def asked(seq: int, name: str) -> dict[str, Any]:
    request = {"request": f"r-{name}", "person": person(name), "text": "", "asked_at": float(seq)}
    return {"type": "asked", "seq": seq, "request": request}


@pytest.fixture
def reduced(join_as: Callable[..., Person]) -> Reduce:
    """`reduced(frame, frame, ...)` is the state after these frames."""
    page = join_as("lior").page
    page.goto("/")

    def run(*frames: dict[str, Any]) -> dict[str, Any]:
        return dict(page.evaluate(RUN, [list(frames)]))

    return run


def names(people: list[dict[str, Any]]) -> list[str]:
    return [one["participant"] for one in people]


def test_state(reduced: Reduce) -> None:
    """One browser for all cases: starting it is what costs."""
    _places_and_roles(reduced)
    _gaps_and_repetitions(reduced)
    _leaving_the_stage(reduced)
    _removal(reduced)
    _the_standing(reduced)
    _coming_and_going(reduced)
    _more_listeners_than_faces(reduced)
    _the_connection(reduced)


def _places_and_roles(reduced: Reduce) -> None:
    state = reduced(snapshot(), asked(8, "dee"), asked(9, "lior"))
    assert (state["place"], state["role"]) == (2, "listener")
    gone = {"type": "request_gone", "seq": 10, "request": "r-dee", "participant": "dee", "how": "declined"}
    assert reduced(snapshot(), asked(8, "dee"), asked(9, "lior"), gone)["place"] == 1
    voice = {"type": "voice", "seq": 8, "person": person("lior", "speaker"), "standing": 4}
    state = reduced(snapshot(), voice)
    assert (state["role"], names(state["stage"]), state["faces"]) == ("speaker", ["hana", "sol", "lior"], [])


def _gaps_and_repetitions(reduced: Reduce) -> None:
    assert reduced(snapshot(), asked(9, "dee"))["gaps"] == [False, True]
    twice = reduced(snapshot(), asked(8, "dee"), asked(8, "dee"), asked(7, "sol"))
    assert [request["request"] for request in twice["requests"]] == ["r-dee"]
    assert reduced(asked(3, "dee"))["requests"] == [], "nothing counts before the first snapshot"
    assert reduced({"type": "unheard_of", "seq": 1})["seq"] == -1


def _leaving_the_stage(reduced: Reduce) -> None:
    gone = {"type": "voice_gone", "seq": 8, "participant": "sol", "standing": 4}
    moved = reduced(snapshot(), gone | {"why": "moved"})
    assert (names(moved["stage"]), names(moved["faces"])) == (["hana"], ["lior", "sol"])
    assert moved["faces"][1]["role"] == "listener"
    left = reduced(snapshot(), gone | {"why": "left"})
    assert (names(left["stage"]), names(left["faces"])) == (["hana"], ["lior"])


def _removal(reduced: Reduce) -> None:
    removed = {"type": "removed", "seq": 9, "standing": 4}
    other = reduced(snapshot(), asked(8, "sol"), removed | {"participant": "sol"})
    assert (other["removed"], names(other["stage"]), other["requests"]) == (False, ["hana"], [])
    assert reduced(snapshot(), removed | {"participant": "lior", "seq": 8})["removed"] is True


def _the_standing(reduced: Reduce) -> None:
    voice = {"type": "voice", "seq": 8, "person": person("sol", "speaker", "host"), "standing": 4}
    assert reduced(snapshot(), voice)["behind"] is True
    four, five = {"type": "in_effect", "standing": 4}, {"type": "in_effect", "standing": 5}
    assert reduced(snapshot(), voice, four)["behind"] is False
    assert reduced(snapshot(), voice, five, four)["inEffect"] == 5


def _coming_and_going(reduced: Reduce) -> None:
    audience = {"type": "audience", "listeners": 2, "entered": [person("dee"), person("sol")], "left": ["lior"]}
    state = reduced(snapshot(), audience)
    assert (state["listeners"], names(state["faces"])) == (2, ["dee"]), "who is on the stage does not listen, too"
    away = reduced(snapshot(), {"type": "host_away", "seq": 8, "until": 160.0})
    assert away["space"]["host_away_until"] == 160.0
    back = reduced(snapshot(), {"type": "host_away", "seq": 8, "until": 160.0}, {"type": "host_back", "seq": 9})
    assert back["space"]["host_away_until"] is None


def _more_listeners_than_faces(reduced: Reduce) -> None:
    few: dict[str, Any] = {"type": "audience", "listeners": 100, "entered": [], "left": []}
    crowd = few | {"listeners": 101}
    state = reduced(snapshot(), crowd)
    assert (state["stale"], state["outdated"]) == (True, False), "names do not come for now"
    state = reduced(snapshot(), crowd, few)
    assert (state["stale"], state["outdated"]) == (True, True), "names come again, but those before are missing"
    assert reduced(snapshot(listeners=101))["stale"] is True
    assert reduced(snapshot(), crowd, few, snapshot(seq=8))["stale"] is False


def _the_connection(reduced: Reduce) -> None:
    good = {"type": "connection", "quality": "good", "why": "", "way": "", "arrives": True}
    poor = good | {"quality": "poor", "why": "loss", "way": "in"}
    assert reduced(snapshot())["connection"] is None, "not known yet"
    assert reduced(snapshot(), good, poor)["connection"] == {name: poor[name] for name in good if name != "type"}
    assert reduced(snapshot(), good, snapshot(seq=8))["connection"]["quality"] == "good"
    assert reduced(snapshot(), poor, snapshot(seq=8))["connection"] is None, "it comes again if it is still poor"
    assert reduced(snapshot(), good | {"arrives": False}, snapshot(seq=8))["connection"] is None
