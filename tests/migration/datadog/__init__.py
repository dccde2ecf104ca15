"""Tests of promsnmp.migration.datadog."""
