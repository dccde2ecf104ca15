"""What a request passes before its handler, as plain ASGI."""
