"""HTTP server over a bundle. Imports no TensorFlow and none of the training side."""
