"""What is kept of a library to search it: vectors, a cache of them, graphs, and its tracks."""
