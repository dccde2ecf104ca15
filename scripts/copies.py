"""Writes Grafana's dashboards, and the files of deploy/ that are copies of others: ``make copies``.

Prometheus, prometheus-operator and the chart each need the alerts in a format or place of their own, and Grafana's
dashboards must be inside the chart to be packaged with it. A test fails if a copy differs from its source.
"""

from __future__ import annotations

from pathlib import Path

from scripts.dashboards import devices, health, panels, service

BOARDS = (*devices.BOARDS, *health.BOARDS, *service.BOARDS)
DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
MANIFESTS = DEPLOY / "kubernetes"
OPERATOR = MANIFESTS / "overlays" / "prometheus-operator"
OVERLAYS = {
    "single": ("namespace", "secret", "rbac", "service"),
    "lease": ("namespace", "secret", "pvc", "rbac", "service", "pdb", "hpa", "ingress"),
}
"""What the folders of overlays share with the manifests. Kustomize refuses a base that is a parent folder of its
overlay, and files outside; a folder that has everything can be applied with any kubectl, with -f and -k."""
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
KUSTOMIZATION = """\
# For `kubectl apply -k`, the same as `kubectl apply -f` of this folder. Written by `make copies`.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
{resources}"""


def copies() -> dict[Path, str]:
    """Every copy and its text."""
    alerts = ALERTS.read_text(encoding="utf-8")
    groups = alerts[alerts.index("groups:") :]
    indented = "".join(f"  {line}" if line.strip() else line for line in groups.splitlines(keepends=True))
    texts = {CHART / "alerts.yml": alerts, OPERATOR / "prometheusrule.yaml": RULE + indented}
    for board in BOARDS:
        texts[panels.FOLDER / f"{board.file}.json"] = panels.text_of(board)
        texts[CHART / "dashboards" / f"{board.file}.json"] = panels.text_of(board)
    for folder, names in OVERLAYS.items():
        into = MANIFESTS / "overlays" / folder
        files = {_first(name): (MANIFESTS / f"{name}.yaml").read_text(encoding="utf-8") for name in names}
        texts |= {into / name: text for name, text in files.items()}
        texts[into / "Kustomization"] = KUSTOMIZATION.format(
            resources="".join(f"  - {name}\n" for name in sorted([*files, "promsnmp.yaml"]))
        )
    return texts


def _first(name: str) -> str:
    """The name of a copy: kubectl applies a folder in the order of its names, and the namespace comes first."""
    return "00-namespace.yaml" if name == "namespace" else f"{name}.yaml"


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
