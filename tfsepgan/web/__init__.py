"""A page that separates in the browser: built files that ship, and the folder made of them."""
