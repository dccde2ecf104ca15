"""The shapes of JSON documents, and the OpenAPI document."""
