// Puts the page together: data in, controls wired.

function describe(scene) {
  byId("title").textContent = scene.title;
  byId("facts").replaceChildren(...scene.facts.map(([name, value]) => fact(name, value)));
  for (const image of scene.images) {
    image.picture = new Image();
    image.picture.src = `data:image/jpeg;base64,${image.jpeg}`;
  }
}

function hasWebGL() {
  try {
    return Boolean(document.createElement("canvas").getContext("webgl2"));
  } catch {
    return false;
  }
}

/** All that a user changes, and the drawing that follows from it. */
class Page {
  constructor(frame) {
    this.frame = frame;
    this.stage = new Stage(byId("view"), frame);
    this.modes = colorModes(frame);
    this.mode = this.modes[0];
    this.selected = null;
    this.shown = 0;
    byId("mode").replaceChildren(...this.modes.map(({ name }) => element("option", "", name)));
    byId("boxes-row").hidden = !frame.boxes.length;
    byId("boxes-row").lastElementChild.textContent = `Boxes (${frame.boxes.length})`;
    this.wirePanel();
    this.wireCanvas();
    this.wireKeys();
    this.color(0);
    if (window.innerWidth <= 760) byId("panel").open = false;
  }

  color(number) {
    this.mode = this.modes[number];
    byId("mode").selectedIndex = number;
    showRamp(this.mode);
    const legend = this.mode.groups ? this.mode : this.modes[0];
    byId("legend-name").textContent = { class: "Classes", camera: "Cameras", flag: "Flags" }[legend.name];
    this.legend = legend;
    this.refresh();
  }

  refresh() {
    showLegend(this.frame, this.legend, () => this.repaint());
    this.repaint();
  }

  repaint() {
    this.shown = paintTints(this.frame, this.modes, this.mode, this.stage.tints);
    this.stage.tinted();
  }

  hide(groups) {
    this.legend.hidden = new Set(groups);
    this.refresh();
  }

  select(row) {
    this.selected = row;
    this.stage.select(row);
    showPoint(this.frame, row);
  }

  toggleUnpainted() {
    const { hidden, groups } = this.modes[0];
    const last = groups.length - 1;
    if (!hidden.delete(last)) hidden.add(last);
    this.refresh();
  }

  toggleBoxes() {
    byId("boxes").checked = !byId("boxes").checked;
    this.stage.showBoxes(byId("boxes").checked);
  }

  resizePoints(step) {
    byId("size").value = Number(byId("size").value) + step;
    this.stage.setSize(Number(byId("size").value));
  }

  wirePanel() {
    byId("mode").addEventListener("change", (event) => this.color(event.target.selectedIndex));
    byId("size").addEventListener("input", (event) => this.stage.setSize(Number(event.target.value)));
    byId("boxes").addEventListener("change", (event) => this.stage.showBoxes(event.target.checked));
    byId("all").addEventListener("click", () => this.hide([]));
    byId("none").addEventListener("click", () => this.hide(this.legend.groups.keys()));
    byId("behind").addEventListener("click", () => this.stage.fromBehind());
    byId("above").addEventListener("click", () => this.stage.fromAbove());
    byId("help-open").addEventListener("click", () => byId("help").showModal());
    byId("point-close").addEventListener("click", () => this.select(null));
  }

  /** A click selects, a drag does not. */
  wireCanvas() {
    const canvas = byId("view");
    let down = null;
    let fingers = 0;
    canvas.addEventListener("pointerdown", (event) => {
      fingers += 1;
      down = fingers === 1 && event.button === 0 ? event : null;
      byId("hint").hidden = true;
    });
    const up = (event) => {
      fingers = Math.max(0, fingers - 1);
      if (event.type === "pointerup" && down && Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) < 6) {
        this.select(this.stage.pick(event.clientX, event.clientY, event.pointerType === "touch" ? 24 : 12));
      }
      down = null;
    };
    canvas.addEventListener("pointerup", up);
    canvas.addEventListener("pointercancel", up);
    canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      complain("The browser has taken the graphics memory away. Reload the page.");
    });
  }

  wireKeys() {
    const { stage } = this;
    const middle = () => this.select(stage.pick(window.innerWidth / 2, window.innerHeight / 2, 60));
    const actions = {
      "+": () => stage.zoom(0.85), "=": () => stage.zoom(0.85), "-": () => stage.zoom(1 / 0.85),
      "[": () => this.resizePoints(-0.4), "]": () => this.resizePoints(0.4),
      b: () => this.toggleBoxes(), u: () => this.toggleUnpainted(), n: middle,
      r: () => stage.fromBehind(), t: () => stage.fromAbove(),
      "?": () => byId("help").showModal(), h: () => byId("help").showModal(), escape: () => this.select(null),
    };
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    window.addEventListener("keydown", (event) => {
      const typing = event.target.matches("select, input[type='range']");
      if (event.ctrlKey || event.metaKey || event.altKey || typing || byId("help").open) return;
      const action = actions[event.key.toLowerCase()];
      const number = Number(event.key) - 1;
      const arrow = steps[event.key];
      if (action) action();
      else if (number >= 0 && number < this.modes.length) this.color(number);
      else if (arrow && event.shiftKey) stage.move(0.08 * arrow[0], 0.08 * arrow[1]);
      else if (arrow) stage.turn(0.09 * arrow[0], 0.06 * arrow[1]);
      else return;
      event.preventDefault();
    });
  }
}

const scene = JSON.parse(byId("scene").textContent);
describe(scene);
if (typeof DecompressionStream === "undefined") {
  complain("This browser is too old for this page: it can't unpack the points. Any browser since 2023 can.");
} else if (!hasWebGL()) {
  complain(
    "This browser has no WebGL 2, so the points can't be drawn. Turn on hardware acceleration in its settings, or open the page in another browser.",
  );
} else {
  // For the console and for tests: what is shown, and where a point of the file lies on the screen.
  window.paintpipe = new Page(await unpackFrame(scene));
  document.documentElement.dataset.ready = "yes";
}
