"""Who owes the public an item, and since when: the duty of telegram 05/CĐ-UBND §1d and §8b."""
