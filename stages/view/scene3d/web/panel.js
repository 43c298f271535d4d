// The legend, and what is told of a selected point. Names come from datasets: they become text, never markup.

const byId = (id) => document.getElementById(id);

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function swatch([red, green, blue]) {
  const made = element("span", "swatch");
  made.style.background = `rgb(${red}, ${green}, ${blue})`;
  return made;
}

function fact(name, value) {
  const row = element("div");
  row.append(element("dt", "", name), element("dd", "", value));
  return row;
}

/** A line of the legend for each group that has points; `changed` is called when one is shown or hidden. */
function showLegend(frame, mode, changed) {
  const counts = new Array(mode.groups.length).fill(0);
  for (let row = 0; row < frame.count; row++) if (frame.finite[row]) counts[mode.groupOf(row)] += 1;
  const items = mode.groups.flatMap((group, number) => {
    if (!counts[number]) return [];
    const box = element("input");
    box.type = "checkbox";
    box.checked = !mode.hidden.has(number);
    box.addEventListener("change", () => {
      if (box.checked) mode.hidden.delete(number);
      else mode.hidden.add(number);
      changed();
    });
    const label = element("label");
    label.append(box, swatch(group.color), element("span", "name", group.name), element("span", "count", counts[number].toLocaleString("en")));
    const item = element("li");
    item.append(label);
    return [item];
  });
  byId("legend").replaceChildren(...items);
}

function showRamp(mode) {
  byId("ramp").hidden = Boolean(mode.groups);
  if (mode.groups) return;
  byId("ramp-low").textContent = mode.low;
  byId("ramp-high").textContent = mode.high;
  byId("ramp-name").textContent = mode.name;
  const pen = byId("ramp-bar").getContext("2d");
  for (let at = 0; at < 256; at++) {
    pen.fillStyle = `rgb(${rampColor(at / 255).join(",")})`;
    pen.fillRect(at, 0, 1, 1);
  }
}

function scoreItems(frame, row) {
  return frame.topScore.flatMap((scores, rank) => {
    if (!scores[row]) return [];
    const { name, color } = frame.classes[frame.topClass[rank][row]];
    const bar = element("i");
    bar.style.width = `${(100 * scores[row]) / 255}%`;
    bar.style.background = color;
    const track = element("span", "track");
    track.append(bar);
    const item = element("li");
    item.append(element("span", "", name), element("span", "share", (scores[row] / 255).toFixed(2)), track);
    return [item];
  });
}

/** Tells all that is known of a point; null closes the panel. */
function showPoint(frame, row) {
  byId("point").hidden = row === null;
  byId("hint").hidden = true;
  if (row === null) return;
  const [x, y, z] = pointAt(frame, row);
  const painted = frame.label[row] !== UNPAINTED;
  const klass = painted ? frame.classes[frame.label[row]] : { name: "not painted", color: "#464d5d" };
  byId("point-title").replaceChildren(swatch(rgbOf(klass.color)), element("span", "", klass.name));
  const flags = frame.flag_bits.filter(({ bit }) => frame.flags[row] & bit).map(({ name }) => name);
  const facts = [
    fact("x, y, z", `${x.toFixed(2)}, ${y.toFixed(2)}, ${z.toFixed(2)} m`),
    fact("range", `${Math.hypot(x, y, z).toFixed(2)} m`),
    fact("camera", frame.camera[row] < 0 ? "none" : frame.cameras[frame.camera[row]]),
    fact("flags", flags.join(", ") || "none"),
    fact("row of the point file", row.toLocaleString("en")),
  ];
  byId("point-facts").replaceChildren(...facts);
  byId("scores").replaceChildren(...scoreItems(frame, row));
  showPixel(frame, row, [x, y, z]);
}

/** The image of the point's camera with its pixel marked, and a magnified part around it. */
function showPixel(frame, row, point) {
  const camera = frame.cameras[frame.camera[row]];
  const image = frame.images.find((one) => one.camera === camera);
  const [column, line] = [frame.pixelCol[row], frame.pixelRow[row]];
  const shown = Boolean(image) && column !== NO_PIXEL;
  byId("pixel").hidden = !shown;
  if (!shown) return;
  byId("pixel-text").textContent =
    `Pixel ${column}, ${line} of ${camera} (${image.width_px} × ${image.height_px}), depth ${depthOf(image, point).toFixed(2)} m`;
  const ask = (showPixel.last = {}); // an image that comes late must not cover a later point's
  image.picture.decode().then(() => {
    if (showPixel.last === ask) drawPixel(image, (column + 0.5) / image.width_px, (line + 0.5) / image.height_px);
  });
}

function drawPixel(image, right, down) {
  const picture = image.picture;
  const canvas = byId("pixel-image");
  canvas.width = 800;
  canvas.height = Math.round((800 * picture.naturalHeight) / picture.naturalWidth);
  const pen = canvas.getContext("2d");
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  for (const [width, color] of [[6, "#000"], [3, "#fff"]]) {
    pen.beginPath();
    pen.arc(right * canvas.width, down * canvas.height, 13, 0, 2 * Math.PI);
    pen.lineWidth = width;
    pen.strokeStyle = color;
    pen.stroke();
  }
  const zoom = byId("pixel-zoom");
  zoom.width = zoom.height = 168;
  const reach = picture.naturalWidth / 24;
  const lens = zoom.getContext("2d");
  lens.imageSmoothingEnabled = false;
  lens.drawImage(picture, right * picture.naturalWidth - reach, down * picture.naturalHeight - reach, 2 * reach, 2 * reach, 0, 0, 168, 168);
  lens.strokeStyle = "#fff";
  lens.lineWidth = 2;
  lens.strokeRect(78, 78, 12, 12);
  zoom.style.left = right > 0.5 ? "8px" : "";
  zoom.style.right = right > 0.5 ? "" : "8px";
}

function complain(text) {
  byId("message").textContent = text;
  byId("message").hidden = false;
  byId("hint").hidden = true;
  byId("panel").hidden = true;
}
