"""From a query to a list: propose, allow, finalists, rank, arrange, fill; `recommender` composes these stages.

What the ranker reads of a candidate is computed in `features`, the rating that a user would give in `ratings`.
"""
