"""Secrets of a form that was not saved: for who sent it, for a while, in bounded memory."""

from __future__ import annotations

from promsnmp.web.edit.kept_secrets import LIFETIME, MOST_CHARACTERS, MOST_FORMS, KeptSecrets


def test_they_are_kept_for_who_sent_them_and_for_a_while() -> None:
    now = [0.0]
    kept = KeptSecrets(clock=lambda: now[0])
    kept_id = kept.keep({"community": "s3cret", "auth_passphrase": ""}, "token")
    assert kept.find(kept_id, "token") == {"community": "s3cret"}
    assert kept.find(kept_id, "another") == kept.find("unknown", "token") == kept.find("", "") == {}
    now[0] += LIFETIME
    assert kept.find(kept_id, "token") == {}


def test_nothing_is_kept_without_secrets_or_a_token_and_memory_is_bounded() -> None:
    kept = KeptSecrets()
    assert kept.keep({"community": ""}, "token") == kept.keep({"community": "x"}, "") == ""
    assert kept.keep({"community": "x" * (MOST_CHARACTERS + 1)}, "token") == ""
    ids = [kept.keep({"community": "x"}, "token") for _ in range(MOST_FORMS + 50)]
    assert sum(bool(kept.find(one, "token")) for one in ids) == MOST_FORMS
