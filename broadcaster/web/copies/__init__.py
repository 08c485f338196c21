"""What a whole city asks for at once, kept as ready bytes in front of the framework; docs/public.md."""
