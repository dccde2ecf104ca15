"""The listening sockets, uvicorn, and the life of the serving process."""
