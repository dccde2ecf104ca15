"""Writes Grafana's dashboards, and the files of deploy/ that are copies of others: ``make copies``.

Prometheus, prometheus-operator and the chart each need the alerts in a format or place of their own, and Grafana's
dashboards must be inside the chart to be packaged with it. A test fails if a copy differs from its source.
"""

from __future__ import annotations

from pathlib import Path

from scripts.dashboards import devices, health, panels, service

BOARDS = (*devices.BOARDS, *health.BOARDS, *service.BOARDS)
DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
OPERATOR = DEPLOY / "kubernetes" / "overlays" / "prometheus-operator"
CHART = DEPLOY / "helm" / "promsnmp" / "files"
ALERTS = DEPLOY / "prometheus" / "alerts.yml"
RULE = """\
# The alerts of deploy/prometheus/alerts.yml, for prometheus-operator. Written by `make copies`; edit the alerts there.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: promsnmp-alerts
  namespace: promsnmp
  labels:
    app.kubernetes.io/name: promsnmp
    app.kubernetes.io/instance: promsnmp
spec:
"""


def copies() -> dict[Path, str]:
    """Every copy and its text."""
    alerts = ALERTS.read_text(encoding="utf-8")
    groups = alerts[alerts.index("groups:") :]
    indented = "".join(f"  {line}" if line.strip() else line for line in groups.splitlines(keepends=True))
    texts = {CHART / "alerts.yml": alerts, OPERATOR / "prometheusrule.yaml": RULE + indented}
    for board in BOARDS:
        texts[panels.FOLDER / f"{board.file}.json"] = panels.text_of(board)
        texts[CHART / "dashboards" / f"{board.file}.json"] = panels.text_of(board)
    return texts


def main() -> None:
    written = copies()
    for folder in (panels.FOLDER, CHART / "dashboards"):
        for file in set(folder.glob("*.json")) - set(written):
            file.unlink()
    for path, text in written.items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(DEPLOY.parent))


if __name__ == "__main__":
    main()
