"""The page of a frame in three dimensions: one file, no network, nothing of a dataset as markup or script."""

import base64
import hashlib
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from paintpipe.stages.view.markup import Markup, tag

_SCRIPTS = ("frame.js", "colors.js", "stage.js", "panel.js", "main.js")
THREE = "three.min.js"
"""three.js as scripts/bundle_three makes it."""


def scene_page(scene: Mapping[str, Any]) -> str:
    """A whole HTML document that shows the scene.

    Args:
        scene: from `scene_json`.
    """
    three, viewer = web_file(THREE), viewer_script()
    allowed = " ".join(_source_hash(script) for script in (three, viewer))
    policy = (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {allowed}; "
        "base-uri 'none'; form-action 'none'"
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", **{"http-equiv": "Content-Security-Policy"}, content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", str(scene["title"])),
        tag("style", Markup(web_file("viewer.css"))),
    )
    missing = tag("noscript", tag("p", "This page needs JavaScript to draw the points.", class_="card"))
    data = tag("script", Markup(script_json(scene)), type="application/json", id="scene")
    scripts = [tag("script", Markup(script)) for script in (three, viewer)]
    body = tag("body", Markup(web_file("body.html")), missing, data, *scripts)
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


def script_json(value: Mapping[str, Any]) -> str:
    r"""JSON that ends no script element, whatever strings it holds: `<` is `\u003c`, and so are `>` and `&`."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def viewer_script() -> str:
    """The page's own script, in one function so that its names are its own."""
    body = "\n".join(map(web_file, _SCRIPTS))
    return f'(async () => {{\n"use strict";\n{body}}})();\n'


def web_file(name: str) -> str:
    """A file of `web/`."""
    return files("paintpipe.stages.view.scene3d").joinpath("web", name).read_text(encoding="utf-8")


def _source_hash(script: str) -> str:
    """How a content security policy names a script that may run."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
