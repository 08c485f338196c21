"""How many people each version of an alert is for, by channel and area."""
