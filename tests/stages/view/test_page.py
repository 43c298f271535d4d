from html.parser import HTMLParser

import cv2
import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from support.view import make_image

from paintpipe.schemas.errors import ConfigError
from paintpipe.stages.view.encode import encode_png
from paintpipe.stages.view.page import Code, Heading, Picture, Table, Text, html_page

PNG = encode_png(make_image(4, 4))
NASTY = """</code></pre><script>alert("x")</script><img src=x onerror='y'>&amp;"""


class Reader(HTMLParser):
    """Tags with their attributes, and the text between them."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.texts, self.open = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def names(self):
        return {tag for tag, _ in self.tags}


def every_section(text):
    return [
        Heading(text),
        Text(text),
        Table([text, "b"], [[text, text]], text),
        Picture(PNG, text, text),
        Code(text),
        Heading("second"),
    ]


def test_a_page_holds_what_it_was_given():
    page = html_page("My drive", every_section("hello"), "lead")
    reader = Reader(page)
    assert page.startswith("<!DOCTYPE html>")
    assert reader.open == []
    assert {"h1", "h2", "p", "table", "figure", "img", "pre", "nav"} <= reader.names()
    assert "My drive" in reader.texts
    image = next(attrs for tag, attrs in reader.tags if tag == "img")
    assert image["src"].startswith("data:image/png;base64,iVBOR")
    assert image["alt"] == "hello"


def test_nothing_of_a_dataset_becomes_markup():
    page = html_page(NASTY, every_section(NASTY), NASTY)
    reader = Reader(page)
    assert reader.names().isdisjoint({"script", "iframe", "object", "link"})
    assert sum(tag == "img" for tag, _ in reader.tags) == 1
    assert not any(name.startswith("on") for _, attrs in reader.tags for name in attrs)
    assert reader.texts.count(NASTY) >= 7
    assert next(attrs for tag, attrs in reader.tags if tag == "img")["alt"] == NASTY
    assert "<script" not in page


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=60))
def test_any_text_leaves_the_same_tags(text):
    plain = Reader(html_page("t", every_section("x"), "x"))
    odd = Reader(html_page(text, every_section(text.strip() or "x"), "x"))
    skip = {"p"}  # an empty line in a text begins another paragraph
    assert [tag for tag, _ in odd.tags if tag not in skip] == [tag for tag, _ in plain.tags if tag not in skip]


def test_a_page_needs_no_other_file():
    reader = Reader(html_page("t", every_section("x")))
    for _, attrs in reader.tags:
        for name in ("src", "href"):
            assert attrs.get(name, "#").startswith(("data:", "#"))
    page = html_page("t", every_section("x"))
    assert "http:" not in page
    assert "https:" not in page
    assert "@import" not in page
    assert "url(" not in page
    assert "prefers-color-scheme: dark" in page
    assert 'name="viewport"' in page


def test_links_lead_to_headings_even_when_two_are_called_the_same():
    reader = Reader(html_page("t", [Heading("a"), Heading("a"), Heading("b")]))
    anchors = [attrs["id"] for tag, attrs in reader.tags if tag == "h2"]
    links = [attrs["href"] for tag, attrs in reader.tags if tag == "a"]
    assert links == [f"#{anchor}" for anchor in anchors]
    assert len(set(anchors)) == 3
    assert "nav" not in Reader(html_page("t", [Heading("alone")])).names()


def test_a_heading_given_twice_has_two_anchors():
    heading = Heading("a")
    reader = Reader(html_page("t", [heading, heading]))
    assert len({attrs["id"] for tag, attrs in reader.tags if tag == "h2"}) == 2


def test_columns_of_numbers_are_aligned_right():
    table = Table(["class", "IoU", "points"], [["car", "0.812", "12,345"], ["road", "–", "99%"]])
    sides = [attrs.get("class") for tag, attrs in Reader(html_page("t", [table])).tags if tag == "th"]
    assert sides == [None, "n", "n"]


def test_paragraphs_are_split_at_empty_lines():
    reader = Reader(html_page("t", [Text("one\n\ntwo\n\n\n")]))
    assert sum(tag == "p" for tag, _ in reader.tags) == 2


def test_jpeg_is_known_and_anything_else_refused():
    jpeg = cv2.imencode(".jpg", make_image(8, 8))[1].tobytes()
    assert "data:image/jpeg;base64," in html_page("t", [Picture(jpeg, "c", "a")])
    with pytest.raises(ConfigError, match="picture 'c' can't be shown; expected the bytes of a PNG or JPEG"):
        html_page("t", [Picture(b"<svg onload=x>", "c", "a")])


def test_a_ragged_table_is_refused():
    with pytest.raises(ConfigError, match="row 1 of a table has 1 cells; expected 2"):
        html_page("t", [Table(["a", "b"], [["1", "2"], ["3"]])])
