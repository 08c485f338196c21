"""The HTTP face: API, public pages, and the raw front that serves the screens' feeds."""
