"""Tests of promsnmp.migration.csv."""
