"""A synthetic shop: raw files in the exact Amazon 2018 format, from a seed.

Every item belongs to a product line (hobby, brand, style); a line has one item of each kind of product, in the order
in which people buy them. What a user buys next depends on that:

- sequence: often the next kind of product of the hobby, mostly of the same line, style or brand as the last one;
- taste: else an item of one of the user's hobbies, drawn by popularity, preferred style and preferred brands;
- text: titles and descriptions name hobby, brand, style, kind and what goes with it;
- ratings: user bias + item bias + match with the user's taste + noise.

Some lines are dirty in the ways that real files are. Beside the reviews there is an event log of the same shop, in
which what is used up is bought again (`orders`).

    recsys sample OUT_DIR
"""

from recsys.prepare.sample.files import write_sample
from recsys.prepare.sample.orders import write_orders

__all__ = ["write_orders", "write_sample"]
