"""The tables of a preparation, in DuckDB: loading, filters, splits and the files of the prepared dataset.

Each step makes its tables from those before it:

    interactions of all inputs ─ staging ─► raw
    raw ─ filters ─► kept (latest of each pair, minimum rating, k-core), users, items (row numbers)
    item records ─ item_metadata ─► metadata (of the items that are left)
    kept ─ splits ─► interactions ─ cold_items ─► interactions without those that are held out
    interactions, users, items, metadata ─ dataset_files ─► Parquet files

All of it is SQL that a Spark engine has in kind, and nothing outside this package knows what a table looks like, so
that another engine needs the same functions and no more.
"""
