"""The steps of a training run, one module each; `recsys.train.job` takes them in their order.

A step is given the run's context, what earlier steps made, and the `Step` on which it says how far it is. It returns a
record of its own. Only `publish` writes where others read.
"""
