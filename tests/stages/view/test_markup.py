import hypothesis.strategies as st
from hypothesis import given

from paintpipe.stages.view.markup import Markup, joined, tag


def test_text_and_attributes_are_escaped_and_markup_is_not():
    inner = tag("b", "1 < 2 & 'x'")
    assert inner == "<b>1 &lt; 2 &amp; &#x27;x&#x27;</b>"
    assert tag("p", inner, "<i>", title='"onerror="') == (f'<p title="&quot;onerror=&quot;">{inner}&lt;i&gt;</p>')
    assert isinstance(inner, Markup)


def test_attribute_names_and_values():
    element = tag("path", class_="line", stroke_width=2.50, x=10.0, y=1.256, d=None, hidden=False, open=True, n=0)
    assert element == '<path class="line" stroke-width="2.5" x="10" y="1.26" open n="0"></path>'
    assert tag("img", src="a", name="n") == '<img src="a" name="n">'
    assert tag("svg", viewBox="0 0 1 1") == '<svg viewBox="0 0 1 1"></svg>'


def test_what_is_cut_out_of_markup_is_text_again():
    part = tag("b", "x").removesuffix("</b>")
    assert tag("p", part) == "<p>&lt;b&gt;x</p>"


@given(st.text())
def test_any_text_is_escaped_once(text):
    made = joined(text, Markup("<hr>"))
    assert made.endswith("<hr>")
    assert "<" not in made.removesuffix("<hr>")
