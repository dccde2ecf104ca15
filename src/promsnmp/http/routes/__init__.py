"""The endpoints, one file for each group of paths; ``http/app.py`` includes their routers."""
