"""Tests of promsnmp.migration.librenms."""
