"""The tables of a preparation on Spark: the same SQL as in DuckDB, on as many machines as a cluster has.

    inputs ─ reading, each by a task ─► raw ─ the SQL of recsys.prepare.engine, by dialect ─► tables in Parquet files
    users, items, catalogue ─ on the driver, in DuckDB ─► sent to Spark where a statement joins them with events

Nothing outside this package, `recsys.prepare.engines` aside, knows that there is Spark.
"""
