"""Offers: one audio section with Opus is answered, everything else is refused with a reason."""

from dataclasses import replace

import pytest

from rooms.media.network.sdp import Answer, BadSdp, build_answer, parse_offer

OFFER = """v=0
o=- 1 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9
c=IN IP4 0.0.0.0
a=mid:0
a=sendrecv
a=rtcp-mux
a=ice-ufrag:abcd
a=ice-pwd:0123456789abcdef012345
a=fingerprint:sha-256 {print}
a=setup:actpass
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:9 G722/8000
""".format(print=":".join(["AB"] * 32)).replace("\n", "\r\n")
ANSWER = Answer("frag", "password", [("sha-256", "AA:BB")], [("192.0.2.1", 4000), ("2001:db8::1", 4000)], 77)


def test_offer_is_read() -> None:
    offer = parse_offer(OFFER)
    assert (offer.mid, offer.payload_type, offer.fragment) == ("0", 111, "abcd")
    assert offer.fingerprints == (("sha-256", ":".join(["AB"] * 32)),)


def test_credentials_may_stand_above_the_section() -> None:
    lines = OFFER.split("\r\n")
    moved = [line for line in lines if line.startswith(("a=ice", "a=finger", "a=setup"))]
    rest = [line for line in lines if line not in moved]
    assert parse_offer("\r\n".join(rest[:4] + moved + rest[4:])) == parse_offer(OFFER)


def test_answer_is_ice_lite_passive_and_both_ways() -> None:
    lines = build_answer(parse_offer(OFFER), ANSWER).split("\r\n")
    for line in ("a=ice-lite", "a=setup:passive", "a=sendrecv", "a=rtcp-mux", "a=mid:0", "a=rtpmap:111 opus/48000/2"):
        assert line in lines
    assert sum(line.startswith("m=") for line in lines) == 1


def test_answer_names_every_address_best_first() -> None:
    lines = build_answer(parse_offer(OFFER), ANSWER).split("\r\n")
    candidates = [line.split() for line in lines if line.startswith("a=candidate")]
    assert [candidate[4] for candidate in candidates] == ["192.0.2.1", "2001:db8::1"]
    assert int(candidates[0][3]) > int(candidates[1][3])
    assert "a=end-of-candidates" in lines


def test_a_later_answer_is_preferred_and_a_browsers_priorities_decide_only_if_ours_are_equal() -> None:
    """Between what a browser gives to a relayed address of its own and to one that a server saw (RFC 8445 5.1.2.2)."""
    relayed, seen_by_a_server = (2 << 24) + (65_535 << 8) + 255, 100 << 24
    best = []
    for restarts in (0, 1, 2, 69, 500):
        answer = build_answer(parse_offer(OFFER), replace(ANSWER, restarts=restarts))
        found = [int(line.split()[3]) for line in answer.split("\r\n") if line.startswith("a=candidate")]
        assert all(relayed < priority < seen_by_a_server for priority in found)
        best.append(found[0])
    assert best == sorted(best)
    assert len(set(best)) == 4


def without(start: str) -> str:
    return "\r\n".join(line for line in OFFER.split("\r\n") if not line.startswith(start))


@pytest.mark.parametrize(
    ("offer", "reason"),
    [
        ("", "not an SDP"),
        ("hello", "not an SDP"),
        ("v=0\r\n", "0 media sections"),
        (OFFER + OFFER[OFFER.index("m=") :], "2 media sections"),
        (OFFER.replace("m=audio", "m=video"), "audio"),
        (OFFER.replace("m=audio 9", "m=audio 0"), "rejected"),
        (OFFER.replace("m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9", "m=audio"), "media line"),
        (OFFER.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"), "protocol"),
        (without("a=rtcp-mux"), "rtcp-mux"),
        (OFFER.replace("a=sendrecv", "a=inactive"), "direction"),
        (OFFER.replace("a=sendrecv", "a=sendonly"), "direction"),
        (OFFER.replace("a=setup:actpass", "a=setup:passive"), "setup"),
        (without("a=rtpmap:111"), "Opus"),
        (OFFER.replace("rtpmap:111", "rtpmap:112"), "Opus"),
        (without("a=ice-ufrag"), "ice-ufrag"),
        (OFFER.replace("ice-pwd:0123456789abcdef012345", "ice-pwd:short"), "ice-pwd"),
        (OFFER.replace("ice-ufrag:abcd", "ice-ufrag:ab cd"), "ice-ufrag"),
        (without("a=fingerprint"), "fingerprint"),
        (OFFER.replace("sha-256", "md5"), "fingerprint"),
        (OFFER.replace("a=mid:0", "a=mid:0 0"), "mid"),
        (OFFER + "a=x\r\n" * 500, "too long"),
        (OFFER + "a=" + "x" * 20_000, "too long"),
    ],
)
def test_refusals_say_why(offer: str, reason: str) -> None:
    with pytest.raises(BadSdp, match=reason):
        parse_offer(offer)
