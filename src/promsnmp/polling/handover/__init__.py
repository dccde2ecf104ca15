"""Hands the last pages and the histograms of devices to the replicas that own them from now on."""
