"""The pages for people: the start page, the pages of ``web``, and the API in a browser."""
