"""The chart's README is written from values.yaml, as helm-docs would write it, and lists every value."""

from __future__ import annotations

import pytest
import yaml

from scripts.pages import chart_readme
from tests.support.deploy.kube import CHART


def test_it_is_up_to_date() -> None:
    assert (CHART / "README.md").read_text() == chart_readme.readme(), "make docs"


def test_comments_become_descriptions_and_nested_values_rows() -> None:
    text = "# no description\na:\n  # -- Two\n  # lines.\n  b: 1\n  c: []\n# -- Of all.\nd:\n  e: x|y\n"
    assert chart_readme.rows(text) == [
        chart_readme.Row("a.b", 1, "Two lines."),
        chart_readme.Row("a.c", [], ""),
        chart_readme.Row("d", None, "Of all."),
        chart_readme.Row("d.e", "x|y", ""),
    ]


@pytest.mark.parametrize("key", ["home", "icon", "sources", "annotations"])
def test_the_chart_says_where_it_is_from(key: str) -> None:
    facts = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert facts[key]


def test_the_images_for_artifact_hub_are_those_of_the_values() -> None:
    facts = yaml.safe_load((CHART / "Chart.yaml").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    listed = [image["image"] for image in yaml.safe_load(facts["annotations"]["artifacthub.io/images"])]
    redis = values["redis"]["image"]
    assert listed == [f"promsnmp:{facts['appVersion']}", f"{redis['repository']}:{redis['tag']}"]
