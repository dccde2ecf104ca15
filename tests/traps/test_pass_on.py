"""From a notification to a file: names, rules, outputs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from promsnmp.errors import ModuleError
from promsnmp.settings import load_settings
from promsnmp.traps.pass_on import PassOn
from tests.support.notifications import LINK_DOWN, LINK_UP, link


async def test_a_notification_is_named_judged_and_passed_on(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text("rules: [{trap: linkUp, drop: true}, {trap: '*', device: {site: lab}, labels: {team: net}}]")
    settings = load_settings(
        trap_rules=rules, trap_log=False, trap_file=tmp_path / "traps.json", trap_queue_dir=tmp_path / "queues"
    )
    pass_on = PassOn.of_settings(settings, lambda device_id: {"site": "lab"} if device_id == "core1-id" else {})
    await pass_on.start()
    down, up = link(LINK_DOWN), link(LINK_UP)
    named = await pass_on.accept(down)
    assert await pass_on.accept(up) is None
    assert pass_on.dropped == 1
    assert (pass_on.name_of(down.oid), pass_on.severity_of(down), pass_on.severity_of(up)) == (
        "linkDown", "warning", "info",
    )  # fmt: skip
    await pass_on.stop()
    assert named is not None
    (line,) = (tmp_path / "traps.json").read_text().splitlines()
    assert json.loads(line)["labels"] == {"team": "net"}
    assert {family.name for family in pass_on.families()} >= {"promsnmp_trap_deliveries", "promsnmp_trap_rule_drops"}


def test_wrong_files_end_the_start(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yml"
    path.write_text("rules: [{trap: a, severity: bad}]")
    with pytest.raises(ModuleError, match="severity"):
        PassOn.of_settings(load_settings(trap_rules=path))
    with pytest.raises(ModuleError, match="rules"):
        PassOn.of_settings(load_settings(trap_definitions=str(path)))
