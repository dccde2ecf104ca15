"""Tests of promsnmp.migration.telegraf."""
