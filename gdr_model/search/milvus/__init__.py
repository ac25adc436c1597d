"""Passages indexed by Milvus: in a file of Milvus Lite, or on a server that several people share.

The store keeps what it always keeps: tracks, latents, the exact vectors. Milvus has a copy of the
vectors, under keys made of the content alone, and proposes the nearest (`index`). Each library
claims the contents it has there, so that nobody deletes what another one needs (`upload`).
"""
