"""Reports and timeouts: what the manager learns from them, its error texts, and the reports that it refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from promsnmp.errors import AuthenticationError
from promsnmp.snmp import ber, oid
from promsnmp.snmp.ber import Malformed
from promsnmp.snmp.credentials import AuthProtocol, User
from promsnmp.snmp.security import Refused, Resynchronise, Unauthentic
from promsnmp.snmp.v3 import message as usm_message
from promsnmp.snmp.v3.crypto import SecurityProtocols
from promsnmp.snmp.v3.engine import MAX_BOOTS
from promsnmp.snmp.v3.reports import UNPROTECTED, Report, report_of
from promsnmp.snmp.v3.usm import Unexpected
from tests.support.agents.usm_pair import (
    AUTH,
    ENGINE_ID,
    NO_AUTH,
    USER,
    answer_with,
    pair,
    ready,
    report_pdu,
    sent_header,
    value_of,
)


def refused(user: User, agent_user: User, **options: set[str]) -> str:
    """The error that ``user`` gets from an agent that knows ``agent_user``."""
    made = pair(user, agent_user=agent_user, **options)

    def run() -> None:
        made.discover()
        made.model.decode(made.exchange())

    with pytest.raises((AuthenticationError, Refused)) as caught:
        run()
    text = str(caught.value)
    assert "secret" not in text
    assert "\n" not in text
    return text


def test_an_unknown_user_is_named_in_the_error() -> None:
    assert "does not know user 'joe'" in refused(USER, replace(USER, name="jane"))


def test_a_wrong_auth_passphrase_is_named_in_the_error() -> None:
    assert "check the auth passphrase" in refused(USER, replace(USER, auth_passphrase="other-secret"))


def test_a_wrong_auth_protocol_is_named_in_the_error() -> None:
    assert "auth protocol is SHA256" in refused(USER, replace(USER, auth_protocol=AuthProtocol.SHA512))


def test_an_unsupported_security_level_is_named_in_the_error() -> None:
    assert "security level authPriv" in refused(USER, replace(USER, level=AUTH))


def test_a_wrong_priv_passphrase_is_named_in_the_error() -> None:
    assert "check the priv passphrase" in refused(USER, replace(USER, priv_passphrase="other-secret"))


def test_a_missing_context_is_reported() -> None:
    assert "no context 'x'" in refused(replace(USER, context_name="x"), USER, contexts={""})


def test_an_unknown_report_is_reported_with_its_counter() -> None:
    made = ready()
    pdu = ber.encode_pdu(ber.REPORT, 0, 0, 0, ber.encode_varbind(oid.encode("1.3.6.1.4.1.9.1"), b"\x41\x01\x01"))
    with pytest.raises(AuthenticationError, match=r"1\.3\.6\.1\.4\.1\.9\.1"):
        made.model.decode(answer_with(made, lambda header: header, pdu=pdu))


@pytest.mark.parametrize("report", [*Report])
def test_a_report_is_known_with_and_without_its_instance(report: Report) -> None:
    assert report_of(report.counter) is report
    assert report_of(report.counter[:-1]) is report
    assert report_of(b"") is None


@pytest.mark.parametrize("report", [one for one in Report if one not in {*UNPROTECTED, Report.NOT_IN_TIME_WINDOW}])
def test_an_unsigned_report_that_must_be_signed_is_refused(report: Report) -> None:
    made = ready()
    before = replace(made.engine)
    datagram = answer_with(made, lambda header: header._replace(level=NO_AUTH, boots=99), pdu=report_pdu(report))
    with pytest.raises(Unauthentic):
        made.model.decode(datagram)
    assert (made.engine.boots, made.engine.time) == (before.boots, before.time)


def test_a_report_about_the_time_with_a_wrong_mac_is_refused() -> None:
    made = ready()
    datagram = answer_with(
        made, lambda header: header._replace(level=AUTH, boots=99), pdu=report_pdu(Report.NOT_IN_TIME_WINDOW)
    )
    at = usm_message.parse_message(datagram).auth_offset
    with pytest.raises(Unauthentic):
        made.model.decode(datagram[:at] + bytes(24) + datagram[at + 24 :])
    assert made.engine.boots == 5


def test_a_report_with_an_unknown_msg_id_is_refused() -> None:
    made = ready()
    datagram = answer_with(
        made,
        lambda header: header._replace(level=NO_AUTH, msg_id=header.msg_id ^ 1),
        pdu=report_pdu(Report.UNKNOWN_USER),
    )
    with pytest.raises(Unexpected):
        made.model.decode(datagram)


def test_a_report_without_a_counter_is_refused() -> None:
    made = ready()
    with pytest.raises(Malformed):
        made.model.decode(answer_with(made, lambda header: header, pdu=ber.encode_pdu(ber.REPORT, 0, 0, 0, b"")))


def test_a_device_that_reboots_is_followed() -> None:
    made = ready()
    made.agent.reboot()
    with pytest.raises(Resynchronise):
        made.model.decode(made.exchange())
    assert made.model.ready()
    assert value_of(made.model, made.exchange()) == b"router"
    assert made.engine.boots == 6


def test_a_device_that_forgets_its_boots_when_it_reboots_is_followed() -> None:
    made = ready()
    made.agent.boots, made.agent.time = 1, 3
    with pytest.raises(Resynchronise):
        made.model.decode(made.exchange())
    assert value_of(made.model, made.exchange()) == b"router"


def test_a_device_whose_clock_stands_still_is_followed() -> None:
    made = ready()
    made.clock.now += 3600
    made.agent.time = 10_000
    with pytest.raises(Resynchronise):
        made.model.decode(made.exchange())
    assert value_of(made.model, made.exchange()) == b"router"


@pytest.mark.parametrize("user", [USER, User("joe")])
def test_a_device_that_was_replaced_is_followed(user: User) -> None:
    made = ready(user)
    made.agent.engine_id, made.agent.boots, made.agent.time = b"the new device", 1, 20
    with pytest.raises(Resynchronise):
        made.model.decode(made.exchange())
    made.discover()
    assert value_of(made.model, made.exchange()) == b"router"
    assert made.engine.engine_id == b"the new device"


def test_a_late_copy_of_a_discovery_report_does_nothing() -> None:
    made = pair()
    first = made.model.discovery()
    answers = [made.send(first), made.send(made.model.discovery())]
    with pytest.raises(Resynchronise):
        made.model.decode(answers[0])
    with pytest.raises(Unexpected):
        made.model.decode(answers[1])


@pytest.mark.parametrize("engine_id", [b"", ENGINE_ID])
def test_a_report_without_a_new_engine_id_does_nothing(engine_id: bytes) -> None:
    made = ready()
    datagram = answer_with(
        made,
        lambda header: header._replace(level=NO_AUTH, engine_id=engine_id),
        pdu=report_pdu(Report.UNKNOWN_ENGINE),
    )
    with pytest.raises(Unauthentic):
        made.model.decode(datagram)
    assert made.model.ready()


def test_engine_boots_at_their_maximum_raise_an_error_with_advice() -> None:
    made = ready()
    made.agent.boots = MAX_BOOTS
    with pytest.raises(AuthenticationError, match="new id"):
        made.model.decode(made.exchange())


def test_a_response_to_discovery_is_refused() -> None:
    made = pair()
    sent = sent_header(made.model.discovery())
    scoped = usm_message.encode_scoped_pdu(ENGINE_ID, b"", ber.encode_pdu(ber.RESPONSE, 1, 0, 0, b""))
    with pytest.raises(Unauthentic):
        made.model.decode(usm_message.build_message(sent._replace(engine_id=ENGINE_ID), scoped, SecurityProtocols(), 0))
    assert not made.engine.engine_id


# ---------------------------------------------------------------------------------------------------------- silence


def test_a_timeout_after_discovery_hints_at_the_privacy_settings() -> None:
    made = pair()
    assert "engine discovery" in made.model.timeout_hint()
    made.discover()
    assert "check the priv passphrase of user 'joe'" in made.model.timeout_hint()
    made.model.decode(made.exchange())
    assert made.model.timeout_hint() == ""
