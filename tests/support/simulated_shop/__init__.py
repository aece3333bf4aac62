"""A simulated shop: shoppers whose preferences are known, who visit, look at lists, click and buy over HTTP.

`shop.py` says who likes what, `visits.py` lets shoppers ask a server for lists and tell it what they do, `counts.py`
keeps what they did, independently of the server, and `clock/` moves the time of processes.
"""
