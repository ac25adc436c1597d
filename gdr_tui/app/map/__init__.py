"""The library as a map, with results, draws and the way there."""
