"""The inventory as a JSON document, and back."""
