"""From an issued alert to orders for the channels: who it is for, in slices, published once."""
