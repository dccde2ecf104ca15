"""Interface utilisation histograms, classic and native."""
