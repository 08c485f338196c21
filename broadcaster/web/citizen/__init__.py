"""Pages for the public beside the home page: alerts by area, my areas, how far everyone can use them."""
