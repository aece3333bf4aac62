"""Retraining: a new bundle is made, judged, and published, or the one in use stays.

It knows what training is by a function that it is given, so TensorFlow is loaded when there is something to train.
"""
