"""The tables of a preparation, in DuckDB: loading, filters, splits and the files of the prepared dataset.

Each step makes its tables from those before it:

    interactions of all inputs ─ staging ─► raw
    raw ─ filters ─► coded (ids as codes) ─ events ─► coded without bursts, crawlers and what was undone
    coded ─ repeats ─► kept (of each pair the latest, or all) ─ filters ─► minimum rating, k-core, row numbers
    item records ─ item_metadata ─► metadata (of the items that are left)
    kept ─ splits ─► interactions ─ repeats ─► once in each part ─ cold_items ─► without those that are held out
    interactions, users, items, metadata ─ dataset_files ─► Parquet files

All of it is SQL that a Spark engine has in kind, but for the matching of returns (`undoing`), a loop over sorted rows.
Nothing outside this package knows what a table looks like, so that another engine needs the same functions and no more.
"""
