"""Reading files on the nodes of a Ray cluster, by the processes that read them on one machine."""
