"""Pages with forms: hostile texts stay text, secrets stay out, nothing is inline."""

from __future__ import annotations

import pytest

from promsnmp.inventory.model import Device
from promsnmp.snmp.credentials import AuthProtocol, PrivProtocol, SecurityLevel, User
from promsnmp.web.edit.device_form import NEW, changed_keys, entered, pack, unpack, values_of
from promsnmp.web.edit.device_patch import patch_of
from promsnmp.web.edit.notices import COUNTED, NOTICES, notice_of
from promsnmp.web.edit.viewer import Unknown
from promsnmp.web.interface import WebInterface
from tests.support.web.forms import Forms
from tests.support.web.html import Page
from tests.support.web.interface import device, interface, up

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>", '" onfocus="alert(1)" autofocus x="', "{{ 7 * 7 }}",
    "</textarea><b>" + "A" * 65_536, "\u202egnp.exe\u2066", "\x00\x07\x1b[2J\x9b\u200b", "a\r\nSet-Cookie: x=1\n\n<p>",
)  # fmt: skip
EDITOR = Unknown("token", may_change=True, form_token="f" * 64)
FORMS = ("edit", "remove", "add", "device", "devices", "modules", "replicas")


async def shown(pages: WebInterface, name: str, item: str) -> Page:
    status, html = await pages.page(name, item=item, viewer=EDITOR)
    assert status == 200
    made = Page(html.replace("<option", "<i").replace("</option>", "</i>"))
    assert made.unclosed == []
    return made


def hostile(text: str) -> Device:
    return device(
        1, sys_name=text, sys_descr=text, sys_location=text, sys_contact=text, labels=(("site", text),), modules=(text,)
    )


@pytest.mark.parametrize("name", FORMS)
async def test_what_devices_say_stays_text_in_forms(name: str) -> None:
    plain = (await shown(interface({device(1): up()}), name, device(1).id)).names()
    for text in HOSTILE:
        one = hostile(text)
        page = await shown(interface({one: up()}), name, one.id if name in ("edit", "remove", "device") else "")
        names = {attribute for _, attributes in page.elements for attribute in attributes}
        assert [attribute for attribute in names if attribute.startswith("on") or attribute == "style"] == []
        assert page.names() <= plain | {"i", "textarea", "bdi"}
        assert not {"\u202e", "\x00", "\x1b", "\u200b"} & set(page.text)
        assert len(page.text) < 40_000


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_a_form_that_is_sent_back_as_it_was_changes_nothing(text: str) -> None:
    one = hostile(text)
    _, html = await interface({one: up()}).page("edit", item=one.id, viewer=EDITOR)
    fields = next(fields for fields in Forms(html).forms if "shown" in fields)
    sent = {key: [value.replace("\n", "\r\n")] for key, value in fields.items()}
    assert changed_keys(unpack(fields["shown"]), entered(sent)) == frozenset()
    assert patch_of(one, unpack(fields["shown"]), entered(sent)) == {}


async def test_labels_that_a_form_cannot_show_stay() -> None:
    one = device(1, labels=tuple((f"label_{at}", "x" * 100) for at in range(100)))
    _, html = await interface({one: up()}).page("edit", item=one.id, viewer=EDITOR)
    fields = next(fields for fields in Forms(html).forms if "shown" in fields)
    sent = {key: [value] for key, value in fields.items()}
    sent["labels"] = [f"new=1\n{sent['labels'][0]}"]
    assert patch_of(one, unpack(fields["shown"]), entered(sent)) == {"labels": {"new": "1"}}


async def test_secrets_are_on_no_page() -> None:
    user = User("u", SecurityLevel.AUTH_PRIV, AuthProtocol.SHA512, "s3cret-auth", PrivProtocol.AES256, "s3cret-priv")
    one = device(1)
    agent = one.agents[0].__class__(one.agents[0].id, one.agents[0].endpoint, user)
    for known in (one, device(1, agents=(agent,), primary=agent)):
        pages = interface({known: up()})
        assert "s3cret" not in pack(values_of(known))
        assert "s3cret" not in str(values_of(known))
        for name in FORMS:
            _, html = await pages.page(
                name, item=known.id if name in ("edit", "remove", "device") else "", viewer=EDITOR
            )
            assert "s3cret" not in html


async def test_nobody_is_offered_what_they_may_not_do() -> None:
    pages = interface({device(1): up()})
    for name, item in (("device", device(1).id), ("devices", ""), ("modules", ""), ("replicas", "")):
        _, html = await pages.page(name, item=item)
        assert 'method="post"' not in html
        assert 'type="checkbox"' not in html
        _, html = await pages.page(name, item=item, viewer=EDITOR)
        assert name == "replicas" or EDITOR.form_token in html


def test_what_was_shown_survives_a_hidden_field_and_nonsense_is_harmless() -> None:
    values = {**NEW, "name": "\u202e\x00\r\n", "description": "x" * 70_000}
    assert unpack(pack(values)) == values
    for nonsense in ("", "!", "bnVsbA==", "W10=", "eyJuYW1lIjoge319", "[" * 100_000):
        assert unpack(nonsense).keys() == NEW.keys()


@pytest.mark.parametrize("done", [*NOTICES, *COUNTED, "", "nonsense", "<b>"])
def test_a_notice_is_one_of_a_fixed_list(done: str) -> None:
    for number in ("3", "1", "", "x", "<b>", "9" * 40, "\u0663"):
        text = notice_of([("done", done), ("number", number)])
        assert "<" not in text
        assert bool(text) is (done in NOTICES or (done in COUNTED and number in ("1", "3")))
    assert notice_of([("done", "removed"), ("number", "1")]) == "Removed 1 device."
    assert notice_of([("done", "polls"), ("number", "2000")]) == "2\u202f000 polls have begun."
