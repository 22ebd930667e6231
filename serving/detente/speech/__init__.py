"""Who says what: the parse, quotation marks, cues, sources and speakers."""
