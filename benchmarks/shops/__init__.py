"""Generated shops whose best achievable recall is known: parameters, world, users, files, oracles."""
