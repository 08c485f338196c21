"""Screens: alerts drawn as the pages that LED matrices and televisions show."""
