"""The routers of the public's pages."""

from broadcaster.web.citizen import accessibility, alerts

ROUTERS = (alerts.router, accessibility.router)
