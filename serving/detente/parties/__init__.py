"""The parties of an article: listed names, names by their form, and who is who."""
