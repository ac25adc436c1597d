"""What a person has done with results, as evidence about what is wanted."""
