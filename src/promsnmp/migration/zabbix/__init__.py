"""Reads exports of Zabbix."""
