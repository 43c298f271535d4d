"""The style sheet of the HTML pages: system fonts, light and dark, laptop, phone and paper.

Drawings take their colours from the same names, so that they follow the reader's system too.
"""

CSS = """\
:root {
  --ground: #f4f6f9; --card: #ffffff; --ink: #1a2030; --muted: #566072; --line: #dce1e9; --accent: #2457c5;
  --track: #e8ecf2; --on-accent: #ffffff; --warn: #8a4b00; --warn-card: #fff5e2; --warn-line: #efcf97;
  --c0: #2457c5; --c1: #c2384b; --c2: #1d7f74; --c3: #a5660a; --c4: #7442a8; --c5: #596273;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1218; --card: #181c25; --ink: #e8ebf2; --muted: #a5aebd; --line: #2b3240; --accent: #8fb4ff;
    --track: #272d3a; --on-accent: #0d1528; --warn: #ffd28a; --warn-card: #2a2113; --warn-line: #5d4721;
    --c0: #8fb4ff; --c1: #ff8d99; --c2: #5fd0c1; --c3: #f0b95c; --c4: #c9a1f5; --c5: #a5aebd;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif;
}
header, main { max-width: 1180px; margin: 0 auto; padding: 0 clamp(16px, 4vw, 32px); }
header { padding-top: clamp(24px, 5vw, 52px); }
h1 { font-size: clamp(1.6rem, 4vw, 2.3rem); line-height: 1.2; margin: 0 0 .4rem; letter-spacing: -.015em; }
h1, h2, h3, dd, td.long, summary, figcaption { overflow-wrap: anywhere; }
h2 { font-size: 1.4rem; letter-spacing: -.01em; margin: 3rem 0 .8rem; padding-top: 1.6rem;
  border-top: 1px solid var(--line); scroll-margin-top: 3.2rem; }
h3 { font-size: 1.08rem; margin: 1.8rem 0 .4rem; }
p { margin: .6rem 0; max-width: 75ch; overflow-wrap: anywhere; }
.above { display: flex; align-items: center; gap: .5rem; margin: 0 0 .5rem; color: var(--muted); font-weight: 600;
  font-size: .92rem; letter-spacing: .02em; }
.above .m0 { fill: var(--c0); } .above .m1 { fill: var(--c1); } .above .m2 { fill: var(--c3); }
.above .m3 { fill: var(--c2); }
.lead { color: var(--muted); font-size: 1.05rem; }
.notice {
  max-width: none; padding: .8rem 1.1rem; border: 1px solid var(--warn-line); border-radius: 12px;
  background: var(--warn-card); color: var(--warn);
}
nav { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1.2rem 0 0; }
nav a { padding: .25rem .8rem; border: 1px solid var(--line); border-radius: 99px; background: var(--card);
  font-size: .92rem; }
.links { display: flex; flex-wrap: wrap; gap: .4rem 1.2rem; font-weight: 600; }
a { color: var(--accent); text-decoration: none; }
a:hover, a:focus-visible { text-decoration: underline; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 1.4rem 0; }
.cards > div { padding: .85rem 1.1rem 1rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 14px; }
.cards dt { color: var(--muted); font-size: .88rem; }
.cards dd { margin: 0; font-size: 1.55rem; font-weight: 650; line-height: 1.25; letter-spacing: -.015em;
  font-variant-numeric: tabular-nums; }
.cards dd.note { color: var(--muted); font-size: .84rem; font-weight: 400; letter-spacing: 0; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 0 20px;
  align-items: start; }
.columns > div { min-width: 0; }
figure { margin: 1rem 0; padding: 12px; background: var(--card); border: 1px solid var(--line); border-radius: 14px; }
img { display: block; max-width: 100%; height: auto; margin: 0 auto; border-radius: 6px; }
figcaption, caption { color: var(--muted); font-size: .92rem; text-align: left; }
figcaption { padding: .6rem .2rem 0; }
caption { padding: .7rem .9rem .5rem; }
caption span { position: sticky; left: .9rem; display: inline-block; max-width: min(100%, calc(100vw - 5rem)); }
.scroll {
  overflow-x: auto; width: fit-content; max-width: 100%; margin: 1rem 0;
  background: var(--card); border: 1px solid var(--line); border-radius: 14px;
}
figure .scroll { margin: 0; border: 0; border-radius: 6px; }
.scroll:has(.track), table:has(.track) { width: 100%; }
table { border-collapse: collapse; font-size: .94rem; font-variant-numeric: tabular-nums; }
th, td { padding: .42rem .8rem; text-align: left; border-bottom: 1px solid var(--line); }
td { white-space: nowrap; }
td.long { white-space: normal; min-width: 16rem; max-width: 34rem; }
th { max-width: 9.5rem; overflow-wrap: normal; font-weight: 600; color: var(--muted); vertical-align: bottom; }
thead th { border-bottom-width: 2px; }
tbody tr:last-child td { border-bottom: 0; }
tbody tr:hover { background: color-mix(in srgb, var(--accent) 6%, transparent); }
.n { text-align: right; }
.track { display: block; min-width: 64px; height: 6px; margin-top: 3px; border-radius: 3px; background: var(--track);
  overflow: hidden; }
.bar { display: block; height: 100%; border-radius: 3px; }
.swatch { display: inline-block; width: .85em; height: .85em; margin-right: .55em; border-radius: 3px;
  vertical-align: -.06em; box-shadow: 0 0 0 1px color-mix(in srgb, var(--ink) 28%, transparent); }
.drawing svg { display: block; width: 100%; height: auto; max-width: 500px; margin: 0 auto; }
.drawing.wide svg { width: auto; max-width: none; }
svg text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: var(--muted);
  font-variant-numeric: tabular-nums; }
svg .ink { fill: var(--ink); }
svg .axis { stroke: var(--line); stroke-width: 1; fill: none; }
svg .ideal { stroke: var(--muted); stroke-width: 1; stroke-dasharray: 4 4; fill: none; }
svg .cell { fill: var(--accent); }
svg .empty { fill: var(--track); }
svg .small { font-size: 11px; }
svg .on { fill: var(--on-accent); }
svg .line { fill: none; stroke-width: 2.4; stroke-linejoin: round; stroke-linecap: round; }
svg .gap { fill: var(--c1); opacity: .45; }
details { margin: 1rem 0; padding: .3rem 1.1rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 14px; }
details[open] { padding-bottom: .8rem; }
summary { padding: .5rem 0; cursor: pointer; font-weight: 600; color: var(--accent); }
pre {
  overflow-x: auto; margin: 1rem 0; padding: .8rem 1rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 14px;
  font: .9rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
details pre, details .scroll { background: var(--ground); }
main { padding-bottom: 4rem; }
@media (max-width: 700px) {
  .cards { grid-template-columns: repeat(auto-fit, minmax(132px, 1fr)); gap: 8px; }
  .cards dd { font-size: 1.3rem; }
  th, td { padding: .4rem .65rem; }
  .picture { overflow-x: auto; }
  .picture img { max-width: none; width: max(100%, 600px); }
}
@media print {
  :root {
    --ground: #fff; --card: #fff; --ink: #000; --muted: #444; --line: #bbb; --accent: #2457c5; --track: #e4e8ee;
    --on-accent: #fff;
  }
  body { font-size: 11pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  nav { display: none; }
  header, main { max-width: none; padding: 0; }
  h2, h3 { break-after: avoid; }
  figure, tr, .cards > div { break-inside: avoid; }
  .scroll { overflow: visible; width: auto; }
  .drawing.wide svg { max-width: 100%; height: auto; }
}
"""
