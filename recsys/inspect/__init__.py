"""What files seem to be, told from a sample of them, and a config that reads them (`recsys inspect`).

    files ─ sampling ─► sample ─ columns, roles ─► table ─┬─ proposal ─► section `data` ─ trial ─► whether it holds
                                                          └─ view ─► terminal

A file is sampled by what reads it in a preparation, too; what is uncertain is said to be. Nothing is refused but what
holds no rows at all, and that gets a sentence.
"""
