"""HTTP: routes, access, answers, and the server."""
