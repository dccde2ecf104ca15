"""The pages in memory, and the service that answers scrapes from them."""
