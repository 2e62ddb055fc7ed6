"""Recordings of order books: what venues and recorders wrote, as BOOK, TRADE and QUOTE records of one instrument each.

    file -> lines or records -> reader of its format -> tapes -> histories

A reader (lobster, databento, bitstamp, binance, okx ...) knows one format: it turns what a file says into rows of a `Tape` and counts
what was wrong with it. A tape keeps its rows on disk; when the last file is read, the decimals are known, and the rows become
records that a book is fed with as they pass. So memory does not grow with the recording, and nothing is repaired silently.
"""
