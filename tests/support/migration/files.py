"""prometheus.yml, snmp.yml and a file of file_sd_configs, as their documentation describes them."""

from __future__ import annotations

from pathlib import Path

SECRETS = ("s3cret-community", "s3cret-auth", "s3cret-priv")

PROMETHEUS = """\
global:
  scrape_interval: 30s
scrape_configs:
  - job_name: prometheus
    static_configs: [{targets: ["localhost:9090"]}]
  - job_name: snmp
    metrics_path: /snmp
    params:
      auth: [lab_v2]
      module: [if_mib, system]
    static_configs:
      - targets:
          - 192.0.2.1
          - 192.0.2.2:1161
          - tcp://192.0.2.3
        labels: {region: eu}
    file_sd_configs:
      - files: ["targets/*.yml"]
    metric_relabel_configs:
      - {source_labels: [ifDescr], regex: lo, action: drop}
    relabel_configs:
      - source_labels: [__address__]
        target_label: __param_target
      - source_labels: [__param_target]
        target_label: instance
      - source_labels: [name]
        regex: (.+)[.]example
        target_label: instance
      - {regex: name, action: labeldrop}
      - {target_label: __address__, replacement: "exporter:9116"}
  - job_name: ups
    metrics_path: /snmp
    scrape_interval: 5m
    params: {auth: [v3], module: [ups], snmp_context: [vlan-7]}
    consul_sd_configs: [{server: "localhost:8500"}]
    static_configs: [{targets: [192.0.2.30]}]
    relabel_configs:
      - {source_labels: [__address__], target_label: __param_target}
      - {source_labels: [__param_target], target_label: instance}
      - {target_label: __address__, replacement: "exporter:9116"}
"""

TARGETS = """\
- targets: ["192.0.2.10"]
  labels: {name: core1.example, __param_module: "if_mib,ups"}
- targets: ["192.0.2.1"]
  labels: {__param_auth: v3}
"""

SNMP = """\
auths:
  lab_v2: {version: 2, community: s3cret-community}
  v3:
    version: 3
    username: monitor
    security_level: authPriv
    auth_protocol: SHA256
    password: s3cret-auth
    priv_protocol: AES
    priv_password: s3cret-priv
modules:
  ups: {walk: [1.3.6.1.2.1.33], timeout: 7s, retries: 1}
"""


def write_files(folder: Path) -> Path:
    """Writes the files; returns the folder."""
    (folder / "targets").mkdir()
    (folder / "prometheus.yml").write_text(PROMETHEUS, encoding="utf-8")
    (folder / "targets" / "a.yml").write_text(TARGETS, encoding="utf-8")
    (folder / "snmp.yml").write_text(SNMP, encoding="utf-8")
    return folder
