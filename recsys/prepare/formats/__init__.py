"""The formats of raw data that can be prepared: one module a format, listed in `registry`.

A new format is a module with a `Format` (see `base`) and an entry in `registry.FORMATS`. These modules help it:

    files        a file as blocks of whole lines: decompressed, hashed, lines counted
    reports      what became of the lines of an input, and the causes for which lines are dropped
    delimited    comma- or tab-separated text as Arrow tables of strings
    event_checks tables of strings as checked, typed events; `id_columns`, `time_columns`, `number_columns` and
                 `type_columns` read one column each, by the rules of `recsys.core.values`
    parquet      Parquet files as tables of strings
    json_events  event logs in JSON as tables of strings
    event_columns which columns of an event log are read as what: by settings, our names, or `known_logs`
    json_lines   lines of JSON as checked records; `layouts` names their fields
"""
