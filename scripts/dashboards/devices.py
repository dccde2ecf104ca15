"""The three Grafana dashboards about devices; ``dashboards.py`` writes their JSON."""

from __future__ import annotations

from scripts.dashboards.health import OF_DEVICE
from scripts.dashboards.panels import GREEN, RED, Dashboard, Panel
from scripts.dashboards.selectors import (
    ADMIN,
    BAD,
    BY_PORT,
    DEVICE,
    DEVICES,
    INTERFACES,
    JOB,
    ODD,
    OF,
    ONE,
    OUT,
    PORT,
    SHARE,
    STATES,
    TOP,
    bits,
    used,
)

OVERVIEW = Dashboard(
    title="Network overview",
    text="All devices that PromSNMP polls.",
    file="network-overview",
    variables=(JOB, DEVICES, TOP),
    panels=(
        Panel(title="Devices", kind="stat", width=4, height=4, queries={"": f"count(up{OF})"}),
        Panel(
            title="Devices down", kind="stat", width=4, height=4, steps=BAD,
            queries={"": f"count(up{OF} == 0) or vector(0)"},
        ),
        Panel(title="Interfaces up", kind="stat", width=4, height=4, queries={"": f"count(ifOperStatus{OF} == 1)"}),
        Panel(
            title="Interfaces down, admin up", kind="stat", width=4, height=4, steps=ODD,
            queries={
                "": f"count(ifOperStatus{OF} != 1 and on (job, instance, ifIndex) ifAdminStatus{OF} == 1) or vector(0)"
            },
        ),
        Panel(
            title="Incomplete modules", kind="stat", width=4, height=4, steps=BAD,
            queries={"": f"count(promsnmp_module_up{OF} == 0) or vector(0)"},
        ),
        Panel(
            title="Restarts, last day", kind="stat", width=4, height=4, steps=ODD,
            queries={"": f"sum(resets(sysUpTime{OF}[1d]))"},
        ),
        Panel(
            title="Traffic of all interfaces", unit="bps", mirror=OUT, width=24,
            queries={"all in": f"sum({bits('In', OF)})", "all out": f"sum({bits('Out', OF)})"},
        ),
        Panel(
            title="Top $top devices by traffic", kind="bargauge", unit="bps", height=10,
            queries={"{{instance}}": f"topk($top, sum by (instance) ({bits('In', OF)} + {bits('Out', OF)}))"},
        ),
        Panel(
            title="Top $top interfaces by utilisation", kind="bargauge", unit="percentunit", height=10,
            maximum=1, steps=SHARE,
            queries={
                "{{instance}} {{ifDescr}}": f"topk($top, max by ({BY_PORT}) ({used('In', OF)} or {used('Out', OF)}))"
            },
        ),
        Panel(
            title="Top $top interfaces by errors", kind="bargauge", unit="pps", height=10,
            steps=((GREEN, None), (RED, 0.1)),
            queries={
                "{{instance}} {{ifDescr}}": (
                    f"topk($top, sum by ({BY_PORT}) "
                    f"(rate(ifInErrors{OF}[$__rate_interval]) + rate(ifOutErrors{OF}[$__rate_interval])))"
                )
            },
        ),
        Panel(
            title="Page age", unit="s", height=10,
            text="Time since the last poll of each device, at most the interval. If a line grows, the polls fail.",
            queries={"{{instance}}": f"time() - promsnmp_collected_timestamp_seconds{OF}"},
        ),
        Panel(
            title="Devices", kind="table", width=24, height=12, hide=("sysName",),
            units={"Uptime": "s", "Page age": "s", "Poll duration": "s"},
            queries={
                "Up": f"max by (instance) (up{OF})",
                "Uptime": f"max by (instance) (sysUpTime{OF}) / 100",
                "Interfaces up": f"count by (instance) (ifOperStatus{OF} == 1)",
                "Page age": f"max by (instance) (time() - promsnmp_collected_timestamp_seconds{OF})",
                "Poll duration": f"sum by (instance) (snmp_scrape_duration_seconds{OF})",
            },
        ),
    ),
)  # fmt: skip

ONE_DEVICE = Dashboard(
    annotations=(("Traps", f"snmp_trap_last_timestamp_seconds{ONE} * 1000", "{{trap}}"),),
    title="Device",
    text="One device: its identity, its interfaces, and its polls.",
    file="device",
    variables=(JOB, DEVICE),
    panels=(
        Panel(
            title="State", kind="stat", width=3, height=4, steps=((RED, None), (GREEN, 1.0)),
            queries={"": f"max(up{ONE})"},
        ),
        Panel(title="Uptime", kind="stat", unit="s", width=5, height=4, queries={"": f"max(sysUpTime{ONE}) / 100"}),
        Panel(title="Interfaces up", kind="stat", width=4, height=4, queries={"": f"count(ifOperStatus{ONE} == 1)"}),
        Panel(title="Traffic in", kind="stat", unit="bps", width=4, height=4, queries={"": f"sum({bits('In', ONE)})"}),
        Panel(
            title="Traffic out", kind="stat", unit="bps", width=4, height=4,
            queries={"": f"sum({bits('Out', ONE)})"},
        ),
        Panel(
            title="Page age", kind="stat", unit="s", width=4, height=4,
            queries={"": f"max(time() - promsnmp_collected_timestamp_seconds{ONE})"},
        ),
        Panel(
            title="Identity", kind="table", width=24, height=4, hide=("Value", "is"),
            queries={
                "is": (
                    f"max by (instance, sysName) (sysName{ONE}) "
                    f"* on (instance) group_left (sysDescr) max by (instance, sysDescr) (sysDescr{ONE}) "
                    f"* on (instance) group_left (sysLocation) max by (instance, sysLocation) (sysLocation{ONE})"
                )
            },
        ),
        *OF_DEVICE,
        Panel(
            title="Traffic by interface", unit="bps", mirror=OUT, stack=True, width=24, height=10,
            queries={
                "{{ifDescr}} in": f"sum by (ifDescr) ({bits('In', ONE)})",
                "{{ifDescr}} out": f"sum by (ifDescr) ({bits('Out', ONE)})",
            },
        ),
        Panel(
            title="Errors", unit="pps", mirror=OUT,
            queries={
                "{{ifDescr}} in": f"sum by (ifDescr) (rate(ifInErrors{ONE}[$__rate_interval]))",
                "{{ifDescr}} out": f"sum by (ifDescr) (rate(ifOutErrors{ONE}[$__rate_interval]))",
            },
        ),
        Panel(
            title="Discards", unit="pps", mirror=OUT,
            queries={
                "{{ifDescr}} in": f"sum by (ifDescr) (rate(ifInDiscards{ONE}[$__rate_interval]))",
                "{{ifDescr}} out": f"sum by (ifDescr) (rate(ifOutDiscards{ONE}[$__rate_interval]))",
            },
        ),
        Panel(
            title="Interfaces", kind="table", width=24, height=14,
            units={"Speed": "bps", "In": "bps", "Out": "bps", "Used in": "percentunit", "Used out": "percentunit"},
            names={"Oper state": STATES, "Admin state": ADMIN},
            queries={
                "Oper state": f"max by (ifIndex, ifDescr) (ifOperStatus{ONE})",
                "Admin state": f"max by (ifIndex, ifDescr) (ifAdminStatus{ONE})",
                "Speed": f"max by (ifIndex, ifDescr) (ifHighSpeed{ONE}) * 1e6",
                "In": f"max by (ifIndex, ifDescr) ({bits('In', ONE)})",
                "Out": f"max by (ifIndex, ifDescr) ({bits('Out', ONE)})",
                "Used in": f"max by (ifIndex, ifDescr) ({used('In', ONE)})",
                "Used out": f"max by (ifIndex, ifDescr) ({used('Out', ONE)})",
            },
        ),
        Panel(
            title="Modules", kind="table", height=8, names={"Complete": {"0": "no", "1": "yes"}},
            units={"Poll duration": "s"},
            queries={
                "Complete": f"max by (module) (promsnmp_module_up{ONE})",
                "Poll duration": f"max by (module) (snmp_scrape_duration_seconds{ONE})",
                "Values": f"max by (module) (snmp_scrape_pdus_returned{ONE})",
                "Packets": f"max by (module) (snmp_scrape_packets_sent{ONE})",
                "Retransmitted": f"max by (module) (snmp_scrape_packets_retried{ONE})",
            },
        ),
        Panel(title="Poll duration", unit="s", queries={"{{module}}": f"snmp_scrape_duration_seconds{ONE}"}),
    ),
)  # fmt: skip

ONE_INTERFACE = Dashboard(
    title="Interface",
    text="Interfaces of one device: traffic, utilisation over time, errors, and the busiest ones.",
    file="interface",
    variables=(JOB, DEVICE, INTERFACES, TOP),
    panels=(
        Panel(
            title="Throughput", unit="bps", mirror=OUT, width=24, height=10,
            queries={
                "{{ifDescr}} in": f"sum by (ifDescr) ({bits('In', PORT)})",
                "{{ifDescr}} out": f"sum by (ifDescr) ({bits('Out', PORT)})",
            },
        ),
        Panel(
            title="Utilisation between polls", kind="heatmap", unit="short", height=10,
            text=(
                "Each cell counts the polls at which the interfaces were this busy, in percent of their speed. It shows"
                " bursts that an average over five minutes hides."
            ),
            queries={"{{le}}": f"sum by (le) (increase(interface_utilization_bucket{PORT}[$__rate_interval]))"},
        ),
        Panel(
            title="Utilisation", unit="percentunit", mirror=OUT, height=10,
            queries={
                "{{ifDescr}} in": f"max by (ifDescr) ({used('In', PORT)})",
                "{{ifDescr}} out": f"max by (ifDescr) ({used('Out', PORT)})",
            },
        ),
        Panel(
            title="Utilisation, 90th percentile", unit="percent",
            queries={
                "{{ifDescr}}": (
                    "histogram_quantile(0.9, sum by (ifDescr, le) "
                    f"(increase(interface_utilization_bucket{PORT}[$__range])))"
                )
            },
        ),
        Panel(
            title="Packets", unit="pps", mirror=OUT,
            queries={
                "{{ifDescr}} unicast in": f"sum by (ifDescr) (rate(ifHCInUcastPkts{PORT}[$__rate_interval]))",
                "{{ifDescr}} multicast in": f"sum by (ifDescr) (rate(ifHCInMulticastPkts{PORT}[$__rate_interval]))",
                "{{ifDescr}} broadcast in": f"sum by (ifDescr) (rate(ifHCInBroadcastPkts{PORT}[$__rate_interval]))",
                "{{ifDescr}} unicast out": f"sum by (ifDescr) (rate(ifHCOutUcastPkts{PORT}[$__rate_interval]))",
                "{{ifDescr}} multicast out": f"sum by (ifDescr) (rate(ifHCOutMulticastPkts{PORT}[$__rate_interval]))",
                "{{ifDescr}} broadcast out": f"sum by (ifDescr) (rate(ifHCOutBroadcastPkts{PORT}[$__rate_interval]))",
            },
        ),
        Panel(
            title="Errors", unit="pps", mirror=OUT,
            queries={
                "{{ifDescr}} in": f"sum by (ifDescr) (rate(ifInErrors{PORT}[$__rate_interval]))",
                "{{ifDescr}} out": f"sum by (ifDescr) (rate(ifOutErrors{PORT}[$__rate_interval]))",
            },
        ),
        Panel(
            title="Discards", unit="pps", mirror=OUT,
            queries={
                "{{ifDescr}} in": f"sum by (ifDescr) (rate(ifInDiscards{PORT}[$__rate_interval]))",
                "{{ifDescr}} out": f"sum by (ifDescr) (rate(ifOutDiscards{PORT}[$__rate_interval]))",
            },
        ),
        Panel(
            title="Top $top interfaces of the device, in", kind="bargauge", unit="bps",
            queries={"{{ifDescr}}": f"topk($top, sum by (ifDescr) ({bits('In', ONE)}))"},
        ),
        Panel(
            title="Top $top interfaces of the device, out", kind="bargauge", unit="bps",
            queries={"{{ifDescr}}": f"topk($top, sum by (ifDescr) ({bits('Out', ONE)}))"},
        ),
        Panel(
            title="State", width=24, height=6, text="1 up, 2 down, 5 dormant, 6 not present, 7 lower layer down.",
            queries={"{{ifDescr}}": f"max by (ifDescr) (ifOperStatus{PORT})"},
        ),
    ),
)  # fmt: skip

BOARDS = (OVERVIEW, ONE_DEVICE, ONE_INTERFACE)
