"""Where everything lies in a bundle.

saved_model/<name>/current names the version in use; saved_model/<name>/<version>/ holds the files below.
Those of the two-tower are named in `recsys.sources.two_tower`, those that encode new items in `recsys.encoding.files`.
"""

SCHEMA_VERSION = 8

MANIFEST_FILE = "manifest.json"
CATALOGUE_FILE = "catalogue.sqlite"
HISTORIES_FOLDER = "histories"
HISTORY_ARRAYS = ("indptr", "items", "timestamps", "ratings", "weights")
ATTRIBUTES_FOLDER = "attributes"
CYCLES_FILE = "cycles.npy"  # only of a dataset with repeat purchases
RATINGS_FOLDER = "ratings"
ITEM_PARTS_FILE = "item_parts.npy"  # in it
RETRIEVERS_FOLDER = "retrievers"
ONNX_FOLDER = "onnx"
RANKER_FILE = "ranker.npz"
FEATURES_FOLDER = "features"
LOANS_FOLDER = "loans"
TF_FOLDER = "tf"

CURRENT_FILE = "current"
VERSIONS_FILE = "versions.json"
LOCK_FILE = ".lock"
TEMPORARY_PREFIX = ".writing-"
WAITING_PREFIX = ".waiting-"

FULL = "full"  # names the whole pipeline among the models; the others are sources
