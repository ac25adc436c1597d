"""What the terminal sees: the `gdr` command and its app.

A program of gdr's own multiplies matrices on one thread. A search makes hundreds of small products,
and threads that wait for each other after every one are no faster on idle cores; on busy ones a
query took seconds instead of a tenth of one. Set OPENBLAS_NUM_THREADS to have it otherwise.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy reads it when it is imported
