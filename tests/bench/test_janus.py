"""What Janus gets: its configuration, and descriptions of peers that it accepts."""

import re
from pathlib import Path

import pytest

from bench.rig import janus, machine, network
from bench.rig.peers import Peer
from rooms.media.network import sdp

OFFERED = """v=0\r
a=group:BUNDLE a\r
m=audio 9 UDP/TLS/RTP/SAVPF 111\r
a=sendonly\r
a=mid:a\r
a=setup:actpass\r
"""


def test_its_files_keep_it_on_addresses_of_this_machine(tmp_path: Path) -> None:
    janus.write_config(tmp_path, 18088, event_loops=1)
    general = (tmp_path / "janus.jcfg").read_text()
    assert f'configs_folder = "{tmp_path}"' in general
    assert re.search(r"^\s*event_loops = 1$", general, re.MULTILINE)
    assert f'ice_enforce_list = "{network.ADDRESS}"' in general
    assert network.ADDRESS.startswith("127.")
    http = (tmp_path / "janus.transport.http.jcfg").read_text()
    assert 'ip = "127.0.0.1"' in http
    assert "port = 18088" in http


def test_without_event_loops_it_keeps_its_default(tmp_path: Path) -> None:
    janus.write_config(tmp_path, 18088)
    assert "event_loops =" not in (tmp_path / "janus.jcfg").read_text()


def test_if_it_is_not_installed_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(machine.Missing, match=r"^janus is missing: apt-get install janus$"):
        janus.Janus()


async def test_a_peer_offers_its_candidate_and_its_source() -> None:
    peer = Peer()
    offer = janus.as_client(peer)
    assert sdp.parse_offer(offer).payload_type == 111
    assert f" {network.ADDRESS} {peer.port.port} typ host\r\n" in offer
    assert "a=setup:active\r\n" in offer
    source = re.search(r"^a=ssrc:(\d+) ", offer, re.MULTILINE)
    assert source is not None
    assert f"o=- {source[1]} " in offer
    peer.port.close()


async def test_an_answer_takes_the_section_s_name_and_only_receives() -> None:
    peer = Peer()
    answer = janus.answer_to(OFFERED, janus.as_client(peer))
    assert "a=group:BUNDLE a\r\n" in answer
    assert "a=mid:a\r\n" in answer
    assert "a=recvonly\r\n" in answer
    assert "a=sendrecv" not in answer
    peer.port.close()


@pytest.mark.parametrize(
    "said",
    [
        {"janus": "error", "error": {"code": 458, "reason": "No such session"}},
        {"janus": "event", "plugindata": {"data": {"error_code": 485, "error": "No such room (1)"}}},
    ],
)
def test_a_refusal_is_an_error_with_its_reason(said: dict[str, object]) -> None:
    with pytest.raises(janus.JanusError, match="No such"):
        janus._checked(said)
