"""Order management: the state table, ids, open orders and what they still reserve."""
