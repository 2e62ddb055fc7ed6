"""Historical data: files of bars read into the engine's records, checked, and named by a catalog."""
