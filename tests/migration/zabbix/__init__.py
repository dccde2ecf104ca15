"""Tests of promsnmp.migration.zabbix."""
