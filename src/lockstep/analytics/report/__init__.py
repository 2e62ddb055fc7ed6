"""The report of a run as one self-contained HTML file, and several runs side by side.

Nothing is loaded from anywhere: plotly.js, style and data are in the file, and its policy forbids every request. The
same run gives the same bytes; wall-clock facts stay out of it.
"""
