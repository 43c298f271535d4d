// What points can be coloured by, and which of them are shown.

const UNPAINTED = 255;
const DIM = [70, 77, 93];
const CAMERAS = ["#8fb4ff", "#ff8d99", "#5fd0c1", "#f0b95c", "#c9a1f5", "#9ed36a", "#ff9d5c", "#e7e28a"];
const RAMP = [[66, 92, 214], [38, 166, 209], [84, 206, 141], [242, 208, 75], [255, 116, 69]];

function rgbOf(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

/** The colour of a share from 0 to 1. */
function rampColor(share) {
  const place = Math.min(0.9999, Math.max(0, share)) * (RAMP.length - 1);
  const low = Math.floor(place);
  return RAMP[low].map((value, channel) => Math.round(value + (place - low) * (RAMP[low + 1][channel] - value)));
}

/** A way to colour by groups that can be hidden one by one. */
function groupMode(name, groups, groupOf) {
  return { name, groups, groupOf, hidden: new Set() };
}

/** A way to colour by a number; `value` gives a share from 0 to 1, or null. */
function rampMode(name, low, high, value) {
  return { name, low, high, value };
}

function classMode(frame) {
  const groups = frame.classes.map(({ name, color }) => ({ name, color: rgbOf(color) }));
  groups.push({ name: "not painted", color: DIM, dim: true });
  return groupMode("class", groups, (row) => (frame.label[row] === UNPAINTED ? groups.length - 1 : frame.label[row]));
}

function cameraMode(frame) {
  const groups = frame.cameras.map((name, at) => ({ name, color: rgbOf(CAMERAS[at % CAMERAS.length]) }));
  groups.push({ name: "no camera", color: DIM, dim: true });
  return groupMode("camera", groups, (row) => (frame.camera[row] < 0 ? groups.length - 1 : frame.camera[row]));
}

/** A point has several flags; the last bit that is set gives its colour, for it says most. */
function flagMode(frame) {
  const shades = ["#7d8798", "#5f9ce8", "#c9a1f5", "#ff7a6b", "#f2d04b", "#9ed36a", "#e7e28a", "#ffffff"];
  const groups = frame.flag_bits.map(({ name }, at) => ({ name, color: rgbOf(shades[at % shades.length]) }));
  groups.push({ name: "none", color: DIM, dim: true });
  const bits = frame.flag_bits.map(({ bit }) => bit);
  return groupMode("flag", groups, (row) => {
    for (let at = bits.length - 1; at >= 0; at--) if (frame.flags[row] & bits[at]) return at;
    return bits.length;
  });
}

function heightMode(frame) {
  const heights = Float32Array.from({ length: frame.count }, (_, row) => frame.position[3 * row + 2] * frame.scale_m)
    .filter((_, row) => frame.finite[row])
    .sort();
  const at = (share) => (heights.length ? heights[Math.floor(share * (heights.length - 1))] : 0);
  const [low, high] = [at(0.02), Math.max(at(0.98), at(0.02) + 0.5)];
  const share = (row) => (frame.position[3 * row + 2] * frame.scale_m - low) / (high - low);
  return rampMode("height", `${low.toFixed(1)} m`, `${high.toFixed(1)} m`, share);
}

function colorModes(frame) {
  const best = frame.topScore[0];
  const score = (row) => (frame.label[row] === UNPAINTED || !best ? null : best[row] / 255);
  const modes = [classMode(frame), cameraMode(frame), flagMode(frame), rampMode("top score", "0", "1", score)];
  modes.push(heightMode(frame));
  if (frame.intensity) modes.push(rampMode("intensity", "low", "high", (row) => frame.intensity[row] / 255));
  return modes;
}

/** Fills (r, g, b, a) of every point; a is 0 for a hidden one, 128 for one in the background, 255 else. */
function paintTints(frame, modes, mode, tints) {
  const filters = modes.filter(({ hidden }) => hidden && hidden.size);
  let shown = 0;
  for (let row = 0; row < frame.count; row++) {
    const at = 4 * row;
    if (!frame.finite[row] || filters.some(({ hidden, groupOf }) => hidden.has(groupOf(row)))) {
      tints[at + 3] = 0;
      continue;
    }
    shown += 1;
    const group = mode.groups ? mode.groups[mode.groupOf(row)] : null;
    const share = group ? null : mode.value(row);
    const color = group ? group.color : share === null ? DIM : rampColor(share);
    tints[at] = color[0];
    tints[at + 1] = color[1];
    tints[at + 2] = color[2];
    tints[at + 3] = (group && group.dim) || (!group && share === null) ? 128 : 255;
  }
  return shown;
}
