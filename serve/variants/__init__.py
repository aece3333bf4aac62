"""Which experiments are running, which variant a user gets, and the bundles that variants are made from."""
