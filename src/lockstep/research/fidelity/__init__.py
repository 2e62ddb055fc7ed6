"""Fill fidelity: how well the queue models of the simulator predict what became of real orders.

Real resting limit orders are taken out of a recording by single orders, put in again as ours, and followed by each model.
`tape`: the recording as levels see it, and its orders; `follow`: one order through one model; `study`: all of them, by halves;
`score`: what is counted; `text`: as tables.
"""
