"""The interface for people: pages made on the server, of the same services as the API."""
