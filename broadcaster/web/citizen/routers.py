"""The routers of the public's pages."""

from broadcaster.web.citizen import accessibility, alerts, app_files, my_areas

ROUTERS = (alerts.router, accessibility.router, my_areas.router, app_files.router)
