"""What the dashboards share: variables, selectors of series, colours, and expressions of traffic."""

from __future__ import annotations

from scripts.dashboards.panels import GREEN, RED, YELLOW, Variable

JOB = Variable(name="job", label="Job", query="label_values(promsnmp_module_up, job)")
OF_JOB = 'label_values(promsnmp_module_up{job="$job"}, instance)'
DEVICES = Variable(name="instance", label="Device", query=OF_JOB, multi=True)
DEVICE = Variable(name="instance", label="Device", query=OF_JOB)
INTERFACES = Variable(
    name="interface",
    label="Interface",
    query='label_values(ifOperStatus{job="$job", instance="$instance"}, ifDescr)',
    multi=True,
)
TOP = Variable(name="top", label="Top", choices=("5", "10", "20", "50"))

OF = '{job="$job", instance=~"$instance"}'
ONE = '{job="$job", instance="$instance"}'
PORT = '{job="$job", instance="$instance", ifDescr=~"$interface"}'
ADMIN = {"1": "up", "2": "down", "3": "testing"}
STATES = {**ADMIN, "4": "unknown", "5": "dormant", "6": "not present", "7": "lower layer down"}
BY_PORT = "instance, ifDescr"
BAD = ((GREEN, None), (RED, 1.0))
ODD = ((GREEN, None), (YELLOW, 1.0))
SHARE = ((GREEN, None), (YELLOW, 0.7), (RED, 0.9))
OUT = ".* out"


def bits(direction: str, labels: str) -> str:
    return f"rate(ifHC{direction}Octets{labels}[$__rate_interval]) * 8"


def used(direction: str, labels: str) -> str:
    """Share of the speed in use, 0 to 1; no value where the speed is unknown."""
    return f"{bits(direction, labels)} / (ifHighSpeed{labels} * 1e6 > 0)"
