"""Named credentials on pages: their list, and the forms that add, change, rotate and remove them."""
