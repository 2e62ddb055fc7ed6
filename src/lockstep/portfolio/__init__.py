"""Positions, the cash ledger, profit and loss. Money is exact; marking is float64."""
