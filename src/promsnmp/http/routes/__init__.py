"""The endpoints, one file for each group of paths: a new endpoint goes into the file of its group.

``http/app.py`` includes their routers; ``/snmp``, which must be fast, is a plain route made in
``http/factory.py``.
"""
