"""What the API takes and answers: one typed model each, with examples.

Recommendations are sent as plain dictionaries, which tests hold to these models.
"""
