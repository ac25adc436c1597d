"""`gdr eval session`: how many looks at ten results a simulated person needs to find a track."""
