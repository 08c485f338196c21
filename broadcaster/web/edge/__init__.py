"""The screens' feeds on a bare socket, for the largest sites: front.py at a third of its cost.

A process of the role `led-edge` answers GET and HEAD of feeds and frames, and nothing else: what screens
send (pairing, reports, plays) goes to the web role, by the proxy in front of both.
"""
