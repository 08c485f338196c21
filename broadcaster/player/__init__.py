"""Players: what runs on a screen's own box. controller.py needs nothing else of ours."""
