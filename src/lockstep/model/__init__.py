"""The vocabulary: instruments, market events, orders, fills, signals, enums, numbers and errors. Imports no other room."""
