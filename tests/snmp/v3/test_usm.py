"""The manager's side of USM: what it sends, and which answers it accepts."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import partial

import pytest

from promsnmp.errors import AuthenticationError
from promsnmp.sim.usm_agent import UsmAgent
from promsnmp.snmp import ber
from promsnmp.snmp.ber import Malformed, Pdu
from promsnmp.snmp.credentials import AuthProtocol, PrivProtocol, User
from promsnmp.snmp.security import Resynchronise, Unauthentic
from promsnmp.snmp.v3 import message as usm_message
from promsnmp.snmp.v3.message import Header
from promsnmp.snmp.v3.usm import EngineState, Unexpected, UsmModel
from tests.support.agents.usm_pair import (
    AUTH,
    ENGINE_ID,
    KEYS,
    NO_AUTH,
    PRIV,
    USER,
    answer_with,
    pair,
    ready,
    request,
    respond,
    sent_header,
    value_of,
)

LEVELS = [
    User("joe", NO_AUTH),
    *(User("joe", AUTH, auth, "auth-secret") for auth in AuthProtocol),
    *(
        User("joe", PRIV, auth, "auth-secret", priv, "priv-secret")
        for auth, priv in itertools.product(AuthProtocol, PrivProtocol)
    ),
]

# --------------------------------------------------------------------------------------------- discovery and requests


@pytest.mark.parametrize(
    "user", LEVELS, ids=lambda user: f"{user.level.name}-{user.auth_protocol}-{user.priv_protocol}"
)
def test_a_request_is_answered_with_every_protocol(user: User) -> None:
    made = pair(user)
    assert made.discover() == (1 if user.level == NO_AUTH else 2)
    assert value_of(made.model, made.exchange()) == b"router"
    assert value_of(made.model, made.exchange()) == b"router"


def test_discovery_first_asks_without_engine_user_and_security() -> None:
    sent = sent_header(pair().model.discovery())
    assert sent._replace(msg_id=0) == Header(0, NO_AUTH, True, b"", 0, 0, b"")


def test_discovery_then_asks_for_the_time_with_authentication_and_time_zero() -> None:
    made = pair()
    with pytest.raises(Resynchronise):
        made.model.decode(made.send(made.model.discovery()))
    sent = sent_header(made.model.discovery())
    assert sent._replace(msg_id=0) == Header(0, AUTH, True, ENGINE_ID, 0, 0, b"joe")


def test_a_request_before_discovery_becomes_discovery() -> None:
    assert sent_header(pair().model.encode(request(1))).engine_id == b""


def test_an_answer_to_the_first_of_several_discovery_messages_counts() -> None:
    made = pair()
    first = made.model.discovery()
    made.model.discovery()
    with pytest.raises(Resynchronise):
        made.model.decode(made.send(first))
    assert made.engine.engine_id == ENGINE_ID


def test_an_agent_that_answers_at_time_zero_is_synchronised_by_its_response() -> None:
    made = pair()
    made.agent.boots, made.agent.time = 0, 3
    assert made.discover() == 2
    assert (made.engine.boots, made.engine.time) == (0, 3)


def test_a_request_carries_the_engines_current_time() -> None:
    made = ready()
    made.clock.now += 500
    sent = sent_header(made.model.encode(request(1)))
    assert (sent.boots, sent.time) == (5, 10_500)
    assert sent.level == PRIV
    assert sent.reportable


def test_every_message_has_a_new_msg_id_and_a_new_salt() -> None:
    made = ready()
    parsed = [usm_message.parse_message(made.model.encode(request(1))) for _ in range(20)]
    ids = [one.header.msg_id for one in parsed]
    assert all((after - before) % 2**31 == 1 for before, after in itertools.pairwise(ids))
    assert len({one.priv_parameters for one in parsed}) == 20


def test_models_that_share_an_engine_never_repeat_a_salt() -> None:
    made = ready()
    other = UsmModel(USER, engine=made.engine, keys=KEYS, clock=made.clock)
    salts = [usm_message.parse_message(model.encode(request(1))).priv_parameters for model in (made.model, other) * 5]
    assert len(set(salts)) == 10


def test_msg_ids_stay_within_31_bits() -> None:
    made = ready()
    made.model._msg_id = 2**31 - 2
    for _ in range(3):
        assert value_of(made.model, made.exchange()) == b"router"


def test_the_next_model_uses_the_stored_engine_state() -> None:
    made = ready()
    again = UsmModel(USER, engine=made.engine, keys=KEYS, clock=made.clock)
    assert again.ready()
    assert value_of(again, made.send(again.encode(request(1)))) == b"router"


def test_context_name_and_context_engine_are_sent_and_expected_back() -> None:
    made = ready(replace(USER, context_name="vlan-7"))
    made.agent.contexts = {"vlan-7"}
    assert value_of(made.model, made.exchange()) == b"router"
    elsewhere = ready(replace(USER, context_engine_id=b"elsewhere"))
    with pytest.raises(AuthenticationError, match="context engine id"):
        elsewhere.model.decode(elsewhere.exchange())


@pytest.mark.parametrize(
    ("user", "kind"),
    [(replace(USER, auth_passphrase=""), "auth"), (replace(USER, priv_passphrase=""), "priv")],
)
def test_a_user_without_a_required_passphrase_is_refused(user: User, kind: str) -> None:
    with pytest.raises(AuthenticationError, match=f"'joe' has no {kind} passphrase"):
        UsmModel(user, engine=EngineState(), keys=KEYS)


# ------------------------------------------------------------------------------------------------ which answer it is


def test_an_answer_to_an_earlier_retransmission_counts() -> None:
    made = ready()
    pdu = request(9)
    first = made.model.encode(pdu)
    made.model.encode(pdu)
    assert value_of(made.model, made.send(first)) == b"router"


def test_a_replayed_answer_is_refused() -> None:
    made = ready()
    answer = made.exchange()
    made.model.decode(answer)
    with pytest.raises(Unexpected):
        made.model.decode(answer)


def test_an_old_answer_is_refused_while_another_request_waits() -> None:
    made = ready()
    old = made.exchange()
    made.model.decode(old)
    made.model.encode(request(50))
    with pytest.raises(Unexpected):
        made.model.decode(old)


def test_the_second_answer_to_a_retransmitted_request_is_refused() -> None:
    made = ready()
    pdu = request(9)
    both = [made.send(made.model.encode(pdu)) for _ in range(2)]
    made.model.decode(both[1])
    with pytest.raises(Unexpected):
        made.model.decode(both[0])


def test_an_answer_with_an_unknown_msg_id_is_refused() -> None:
    made = ready()
    with pytest.raises(Unexpected):
        made.model.decode(answer_with(made, lambda header: header._replace(msg_id=header.msg_id ^ 1)))


def test_the_number_of_outstanding_messages_is_bounded() -> None:
    made = ready()
    pdu = request(9)
    first = made.model.encode(pdu)
    for _ in range(40):
        made.model.encode(pdu)
    assert len(made.model._outstanding) <= 16
    with pytest.raises(Unexpected):
        made.model.decode(made.send(first))


# ------------------------------------------------------------------------------------------------- who says it, when


def test_an_answer_with_less_security_is_refused() -> None:
    made = ready()
    for level in (NO_AUTH, AUTH):
        datagram = answer_with(made, partial(Header._replace, level=level))
        with pytest.raises(Unauthentic, match="lower than requested"):
            made.model.decode(datagram)


def test_an_answer_with_more_security_is_refused() -> None:
    made = ready(replace(USER, level=AUTH))
    agent = UsmAgent([USER], engine_id=ENGINE_ID, boots=5, time=10_000, keys=KEYS, clock=made.clock)
    with pytest.raises(Unauthentic, match="higher than requested"):
        made.model.decode(answer_with(made._replace(agent=agent), lambda header: header._replace(level=PRIV)))


@pytest.mark.parametrize("user", [USER, replace(USER, level=AUTH), User("joe")])
def test_an_answer_from_another_engine_is_refused(user: User) -> None:
    made = ready(user)
    with pytest.raises(Unauthentic, match="another engine"):
        made.model.decode(answer_with(made, lambda header: header._replace(engine_id=b"another one")))


@pytest.mark.parametrize("user", [USER, User("joe")])
def test_an_answer_for_another_user_is_refused(user: User) -> None:
    made = ready(user)
    made.agent._users[b"eve"] = replace(user, name="eve")
    with pytest.raises(Unauthentic, match="another user"):
        made.model.decode(answer_with(made, lambda header: header._replace(user=b"eve")))


def test_an_answer_signed_with_another_passphrase_is_refused() -> None:
    made = ready()
    forger = UsmAgent([replace(USER, auth_passphrase="another!")], engine_id=ENGINE_ID, boots=5, time=10_000, keys=KEYS)
    with pytest.raises(Unauthentic, match="check the auth passphrase of user 'joe'"):
        made.model.decode(answer_with(made._replace(agent=forger), lambda header: header))


def test_an_answer_encrypted_with_another_passphrase_is_refused() -> None:
    made = ready()
    other = UsmAgent([replace(USER, priv_passphrase="another!")], engine_id=ENGINE_ID, boots=5, time=10_000, keys=KEYS)
    with pytest.raises(Unauthentic, match="check the priv passphrase of user 'joe'"):
        made.model.decode(answer_with(made._replace(agent=other), lambda header: header))


@pytest.mark.parametrize(("boots", "time"), [(4, 10_000), (5, 9_849), (0, 0), (4, 2**31 - 1)])
def test_an_answer_outside_the_time_window_is_not_used(boots: int, time: int) -> None:
    made = ready()
    with pytest.raises(Resynchronise, match="time window"):
        made.model.decode(answer_with(made, lambda header: header._replace(boots=boots, time=time)))


@pytest.mark.parametrize(("boots", "time"), [(5, 9_850), (5, 10_000), (5, 10_900), (6, 0)])
def test_an_answer_inside_the_time_window_is_accepted(boots: int, time: int) -> None:
    made = ready()
    assert value_of(made.model, answer_with(made, lambda header: header._replace(boots=boots, time=time))) == b"router"


def test_the_time_window_moves_with_our_clock() -> None:
    made = ready()
    made.clock.now += 151
    with pytest.raises(Resynchronise, match="time window"):
        made.model.decode(answer_with(made, lambda header: header._replace(time=10_000)))


def test_a_later_time_replaces_the_earlier_one() -> None:
    made = ready()
    made.model.decode(answer_with(made, lambda header: header._replace(boots=6, time=400)))
    assert (made.engine.boots, made.engine.time) == (6, 400)
    made.model.decode(answer_with(made, lambda header: header._replace(boots=6, time=399)))
    assert made.engine.time == 400
    with pytest.raises(Resynchronise, match="time window"):
        made.model.decode(answer_with(made, lambda header: header._replace(boots=5, time=10_000)))


def test_an_unauthenticated_answer_never_changes_the_time() -> None:
    made = ready(User("joe"))
    made.model.decode(answer_with(made, lambda header: header._replace(boots=77, time=77)))
    assert not made.engine.synchronised


@pytest.mark.parametrize("field", ["engine_id", "name"])
def test_an_answer_about_another_context_is_refused(field: str) -> None:
    made = ready()
    sent = sent_header(made.model.encode(request(7)))
    scoped = usm_message.encode_scoped_pdu(
        b"elsewhere" if field == "engine_id" else ENGINE_ID,
        b"other" if field == "name" else b"",
        respond(Pdu(ber.GET, 7, 0, 0, 0, 0), b""),
    )
    mine = sent._replace(boots=5, time=10_000)
    with pytest.raises(Unauthentic, match="another context"):
        made.model.decode(usm_message.build_message(mine, scoped, made.model._keyed_protocols(), 1))


@pytest.mark.parametrize("tag", [ber.GET, ber.GET_NEXT, ber.SET, ber.GET_BULK, 0xA6, 0xA7])
def test_a_request_or_notification_is_not_an_answer(tag: int) -> None:
    made = ready()
    with pytest.raises(Malformed):
        made.model.decode(answer_with(made, lambda header: header, pdu=ber.encode_pdu(tag, 7, 0, 0, b"")))
