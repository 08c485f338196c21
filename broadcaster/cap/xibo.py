"""A CAP message as Xibo's CAP connector shows it best.

That connector shows an `info` once for each of its areas, all alike but for the area's name; a thousand
households would read the first language a hundred times before the second. And where it is sent nothing at
all, its CMS keeps what the widget had: an ended alert. Its own word for no alerts clears that.
"""

from typing import Any

from lxml import etree

from broadcaster.cap.model import NAMESPACE

NO_ALERTS = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<alert xmlns="{NAMESPACE}"><status>No Alerts</status></alert>\n'
).encode()
"""No CAP message: a `status` that only the connector knows."""
NO_ALERTS_TYPE = "application/xml"


def condensed(message: bytes) -> bytes:
    """The message, unsigned, with one area an `info` that names and lists them all."""
    root: Any = etree.fromstring(message, etree.XMLParser(resolve_entities=False, no_network=True))
    for info in root.iter(_named("info")):
        areas = info.findall(_named("area"))
        for other in areas[1:]:
            first = areas[0]
            first.find(_named("areaDesc")).text += "; " + other.findtext(_named("areaDesc"))
            first.extend(other.findall(_named("geocode")))
            info.remove(other)
    etree.indent(root, "  ")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + etree.tostring(root, encoding="UTF-8") + b"\n"


def _named(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"
