"""Articles in: files of any kind, tables, folders, streams."""
