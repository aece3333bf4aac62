"""Catalogues of shops: tables and JSON in any form and under any names, as item records.

`reader.py` tells the form of a file; `json_text.py` and `tables.py` yield its records as maps, `columns.py` says which
of their columns are the fields of an item, `records.py` makes items of them.
"""
