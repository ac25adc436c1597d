"""gdr's library: decode, encode, keep, index, embed, draw, search.

It prints nothing, imports no terminal code, and does nothing at import. Start at
`retriever.Retriever.search`; `types` holds the values that travel between the parts.
"""

__version__ = "0.1.0"
