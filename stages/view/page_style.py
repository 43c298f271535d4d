"""The style sheet of the HTML page: system fonts, light and dark, laptop and phone."""

CSS = """\
:root {
  --ground: #f6f7f9; --card: #ffffff; --ink: #1f2430; --muted: #5f6776; --line: #dfe3e8; --accent: #2457c5;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #111318; --card: #1a1d24; --ink: #e8eaf0; --muted: #a2a9b6; --line: #2d323d; --accent: #8fb4ff;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif;
}
header, main { max-width: 1180px; margin: 0 auto; padding: 0 clamp(16px, 4vw, 32px); }
header { padding-top: clamp(24px, 5vw, 48px); }
h1 { font-size: clamp(1.5rem, 4vw, 2.1rem); line-height: 1.2; margin: 0 0 .4rem; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; margin: 2.6rem 0 .8rem; padding-top: 1.2rem; border-top: 1px solid var(--line); }
p { margin: .6rem 0; max-width: 75ch; overflow-wrap: anywhere; }
.lead { color: var(--muted); font-size: 1.05rem; }
nav { display: flex; flex-wrap: wrap; gap: .4rem 1.1rem; margin: 1rem 0 0; }
a { color: var(--accent); text-decoration: none; }
a:hover, a:focus-visible { text-decoration: underline; }
figure { margin: 1.2rem 0; padding: 10px; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
img { display: block; max-width: 100%; height: auto; margin: 0 auto; border-radius: 4px; }
figcaption, caption { color: var(--muted); font-size: .92rem; text-align: left; }
figcaption { padding: .6rem .2rem .1rem; }
caption { padding: .6rem .9rem; }
.scroll {
  overflow-x: auto; width: fit-content; max-width: 100%; margin: 1rem 0;
  background: var(--card); border: 1px solid var(--line); border-radius: 10px;
}
table { border-collapse: collapse; font-size: .94rem; font-variant-numeric: tabular-nums; }
th, td { padding: .42rem .9rem; text-align: left; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { font-weight: 600; color: var(--muted); }
tbody tr:last-child td { border-bottom: 0; }
.n { text-align: right; }
pre {
  overflow-x: auto; margin: 1rem 0; padding: .8rem 1rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 10px;
  font: .9rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
main { padding-bottom: 4rem; }
@media (max-width: 700px) { figure { overflow-x: auto; } img { max-width: none; width: max(100%, 640px); } }
@media print { body { background: #fff; } nav { display: none; } figure, .scroll { break-inside: avoid; } }
"""
