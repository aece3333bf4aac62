"""What a value may be, said once: for files, for HTTP and for the store.

    ids          which texts are ids of users, items and events
    amounts      bounds of ratings, prices and quantities
    event_types  types of events, whatever their case
    missing      words for "no value"
    numbers      numbers with a decimal point or comma, and groups of digits
    truths       true, false, yes, no
    whole_numbers  numbers that are whole, as JSON has them
    times        times as shops write them, as seconds since 1970; `zones` and `dates` are parts of it

Each function takes one value and raises ValueError, in words for who sent it, where the value will not do. Whole
columns are checked by `recsys.prepare.formats`, which gives the same verdicts faster.
"""
