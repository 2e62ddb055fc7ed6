"""The probable queue behind levels, scored against recordings that tell every order."""
