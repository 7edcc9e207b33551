"""Go source in, facts with their places out; never by regular expressions, always by its syntax tree."""
