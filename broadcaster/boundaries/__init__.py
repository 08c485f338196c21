"""Boundaries of communes, as an operator loads them: read, simplified, kept, for the console's maps."""
