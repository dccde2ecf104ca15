"""The table of all devices with the state of each: made once for all who look, kept up to date by what has changed."""
