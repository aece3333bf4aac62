"""The language of `when` and `where`: a subset of CEL, from text to masks."""
