"""How the house is: figures for monitors and pages, and questions to what may be silent."""
