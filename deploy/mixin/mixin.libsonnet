// The alerts and dashboards of PromSNMP as a monitoring mixin, for those who build theirs with jsonnet:
//
//   local promsnmp = import 'promsnmp/deploy/mixin/mixin.libsonnet';
//   promsnmp { _config+:: { snmpJob: 'switches' } }
//
// They are those of deploy/prometheus/alerts.yml and deploy/grafana/, with other jobs and tags where _config says so.
{
  _config+:: {
    // The jobs of the devices' pages and of PromSNMP's own metrics.
    snmpJob: 'snmp',
    promsnmpJob: 'promsnmp',
    runbookUrl: 'https://pbrane.github.io/promsnmp/how-to/alerts/',
    dashboardTags: ['promsnmp'],
  },

  local config = self._config,
  local withJobs(text) = std.strReplace(
    std.strReplace(text, 'job="snmp"', 'job="%s"' % config.snmpJob),
    'job="promsnmp"',
    'job="%s"' % config.promsnmpJob
  ),

  prometheusAlerts+:: {
    groups+: [
      group {
        rules: [
          rule {
            expr: withJobs(rule.expr),
            annotations+: {
              runbook_url: config.runbookUrl + '#' + std.splitLimit(rule.annotations.runbook_url, '#', 1)[1],
            },
          }
          for rule in group.rules
        ],
      }
      for group in std.parseYaml(importstr '../prometheus/alerts.yml').groups
    ],
  },

  grafanaDashboards+:: {
    [name]: dashboards[name] { tags: config.dashboardTags }
    for name in std.objectFields(dashboards)
  },

  local dashboards = {
    'device.json': import '../grafana/device.json',
    'fleet-health.json': import '../grafana/fleet-health.json',
    'interface.json': import '../grafana/interface.json',
    'network-overview.json': import '../grafana/network-overview.json',
    'promsnmp.json': import '../grafana/promsnmp.json',
  },
}
