// What three.js draws: points, boxes, rings on the ground, the vehicle's heading, the ring around the selected point.

const VERTEX = `
attribute vec4 tint;
uniform float size;
varying vec4 shade;
void main() {
  vec4 at = modelViewMatrix * vec4(position, 1.0);
  gl_Position = tint.a < 0.1 ? vec4(2.0, 2.0, 2.0, 1.0) : projectionMatrix * at;
  float near = clamp(sqrt(22.0 / max(0.5, -at.z)), 0.55, 2.6);
  gl_PointSize = max(1.0, size * near * (tint.a < 0.75 ? 0.7 : 1.0));
  shade = vec4(tint.rgb, 1.0 - 0.5 * smoothstep(60.0, 180.0, -at.z));
}`;
const FRAGMENT = `
varying vec4 shade;
void main() {
  vec2 from = gl_PointCoord - 0.5;
  float reach = dot(from, from);
  if (reach > 0.25) discard;
  vec3 ground = vec3(0.043, 0.051, 0.071);
  gl_FragColor = vec4(mix(ground, shade.rgb * (1.08 - 0.9 * reach), shade.a), 1.0);
}`;
const RING = `
void main() {
  float reach = length(gl_PointCoord - 0.5);
  if (reach > 0.5 || reach < 0.3) discard;
  gl_FragColor = reach > 0.45 || reach < 0.35 ? vec4(0.0, 0.0, 0.0, 1.0) : vec4(1.0);
}`;
const FIXED = "uniform float size; void main() { gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0); gl_PointSize = size; }";
const EDGES = [0, 1, 1, 2, 2, 3, 3, 0, 4, 5, 5, 6, 6, 7, 7, 4, 0, 4, 1, 5, 2, 6, 3, 7, 4, 1, 5, 0];

function lines(numbers, color, opacity) {
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute("position", new THREE.BufferAttribute(new Float32Array(numbers), 3));
  return new THREE.LineSegments(geometry, new THREE.LineBasicMaterial({ color, transparent: opacity < 1, opacity }));
}

/** The height of the ground: a low percentile of the points around the sensor. */
function groundOf(frame) {
  const near = 20 / frame.scale_m;
  const heights = [];
  for (let row = 0; row < frame.count; row++) {
    const [x, y, z] = frame.position.subarray(3 * row, 3 * row + 3);
    if (frame.finite[row] && Math.abs(x) < near && Math.abs(y) < near) heights.push(z);
  }
  heights.sort((one, other) => one - other);
  return heights.length ? heights[Math.floor(heights.length * 0.15)] * frame.scale_m : 0;
}

function rings(ground) {
  const numbers = [];
  for (const radius of [10, 20, 30, 40, 50]) {
    const steps = 12 * Math.round(4 + radius / 4);
    for (let step = 0; step < steps; step++) {
      for (const at of [step, step + 1]) {
        const angle = (2 * Math.PI * at) / steps;
        numbers.push(radius * Math.cos(angle), radius * Math.sin(angle), ground);
      }
    }
  }
  return lines(numbers, "#2b3345", 1);
}

/** An arrow on the ground in the direction of travel. */
function heading(forward, ground) {
  const [c, s] = [Math.cos(forward), Math.sin(forward)];
  const corners = [[2.2, 0], [-1.6, 1.1], [-0.9, 0], [-1.6, -1.1]].map(([x, y]) => [c * x - s * y, s * x + c * y, ground]);
  return lines([0, 1, 1, 2, 2, 3, 3, 0].flatMap((at) => corners[at]), "#e9ecf3", 1);
}

function boxLines(boxes) {
  return boxes.map(({ corners_m: corners, color }) => lines(EDGES.flatMap((at) => corners.slice(3 * at, 3 * at + 3)), color, 0.9));
}

class Stage {
  constructor(canvas, frame) {
    this.frame = frame;
    this.canvas = canvas;
    this.renderer = new THREE.WebGLRenderer({ canvas, antialias: true, powerPreference: "high-performance" });
    this.renderer.setClearColor("#0b0d12");
    this.renderer.outputColorSpace = "srgb";
    this.scene = new THREE.Scene();
    this.camera = new THREE.PerspectiveCamera(55, 1, 0.2, 2000);
    this.camera.up.set(0, 0, 1);
    this.ground = groundOf(frame);
    this.tints = new Uint8Array(4 * frame.count);
    this.points = this.makePoints();
    this.boxes = boxLines(frame.boxes);
    this.mark = this.makeMark();
    this.scene.add(this.points, this.mark, rings(this.ground), heading(frame.forward_rad, this.ground), ...this.boxes);
    this.controls = new THREE.OrbitControls(this.camera, canvas);
    this.controls.maxPolarAngle = Math.PI * 0.98;
    this.controls.minDistance = 0.5;
    this.controls.maxDistance = 600;
    this.controls.zoomToCursor = true;
    this.controls.addEventListener("change", () => this.draw());
    new ResizeObserver(() => this.resize()).observe(canvas);
    this.pointSize = 3;
    this.fromBehind();
    this.resize();
  }

  makePoints() {
    const geometry = new THREE.BufferGeometry();
    geometry.setAttribute("position", new THREE.BufferAttribute(this.frame.position, 3));
    geometry.setAttribute("tint", new THREE.BufferAttribute(this.tints, 4, true));
    const material = new THREE.ShaderMaterial({ vertexShader: VERTEX, fragmentShader: FRAGMENT, uniforms: { size: { value: 2 } } });
    const points = new THREE.Points(geometry, material);
    points.scale.setScalar(this.frame.scale_m);
    points.frustumCulled = false;
    return points;
  }

  makeMark() {
    const geometry = new THREE.BufferGeometry();
    geometry.setAttribute("position", new THREE.BufferAttribute(new Float32Array(3), 3));
    const material = new THREE.ShaderMaterial({
      vertexShader: FIXED, fragmentShader: RING, uniforms: { size: { value: 22 } }, depthTest: false,
    });
    const mark = new THREE.Points(geometry, material);
    mark.frustumCulled = false;
    mark.renderOrder = 2;
    mark.visible = false;
    return mark;
  }

  /** A place `ahead` metres along the direction of travel, `up` above the ground. */
  place(ahead, up) {
    const angle = this.frame.forward_rad;
    return [ahead * Math.cos(angle), ahead * Math.sin(angle), this.ground + up];
  }

  look(from, at) {
    this.camera.position.set(...from);
    this.controls.target.set(...at);
    this.controls.update();
    this.draw();
  }

  fromBehind() {
    this.look(this.place(-19, 13), this.place(9, 0));
  }

  fromAbove() {
    this.look(this.place(-0.5, 75), this.place(0, 0));
  }

  turn(right, up) {
    const { camera, controls } = this;
    const arm = camera.position.clone().sub(controls.target);
    const flat = Math.hypot(arm.x, arm.y);
    const steep = Math.min(1.55, Math.max(-1.2, Math.atan2(arm.z, flat) + up));
    const angle = Math.atan2(arm.y, arm.x) + right;
    const reach = arm.length();
    arm.set(Math.cos(angle) * Math.cos(steep), Math.sin(angle) * Math.cos(steep), Math.sin(steep)).multiplyScalar(reach);
    this.look(controls.target.clone().add(arm).toArray(), controls.target.toArray());
  }

  move(right, ahead) {
    const { camera, controls } = this;
    const arm = controls.target.clone().sub(camera.position);
    const reach = arm.length();
    const forward = new THREE.Vector3(arm.x, arm.y, 0).normalize().multiplyScalar(ahead * reach);
    const side = new THREE.Vector3(arm.y, -arm.x, 0).normalize().multiplyScalar(right * reach);
    const step = forward.add(side);
    this.look(camera.position.clone().add(step).toArray(), controls.target.clone().add(step).toArray());
  }

  zoom(factor) {
    const { camera, controls } = this;
    const arm = camera.position.clone().sub(controls.target).multiplyScalar(factor);
    if (arm.length() > controls.minDistance && arm.length() < controls.maxDistance) {
      this.look(controls.target.clone().add(arm).toArray(), controls.target.toArray());
    }
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    this.renderer.setPixelRatio(ratio);
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.fov = width < height ? 72 : 55; // a phone held upright sees too little otherwise
    this.camera.updateProjectionMatrix();
    this.setSize(this.pointSize);
  }

  setSize(size) {
    this.pointSize = size;
    const ratio = this.renderer.getPixelRatio();
    this.points.material.uniforms.size.value = size * ratio;
    this.mark.material.uniforms.size.value = 22 * ratio;
    this.draw();
  }

  tinted() {
    this.points.geometry.attributes.tint.needsUpdate = true;
    this.draw();
  }

  showBoxes(on) {
    for (const box of this.boxes) box.visible = on;
    this.draw();
  }

  select(row) {
    this.mark.visible = row !== null;
    if (row !== null) {
      this.mark.geometry.attributes.position.set(pointAt(this.frame, row));
      this.mark.geometry.attributes.position.needsUpdate = true;
    }
    this.draw();
  }

  /** Draws once before the next screen, however often it is asked. */
  draw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.renderer.render(this.scene, this.camera);
    });
  }

  /** {x, y, depth} of a point on the canvas in CSS pixels; depth is not above 0 behind the eye. */
  screenOf(row) {
    const at = new THREE.Vector3(...pointAt(this.frame, row)).applyMatrix4(this.camera.matrixWorldInverse);
    const depth = -at.z;
    at.applyMatrix4(this.camera.projectionMatrix);
    const { clientWidth: width, clientHeight: height } = this.canvas;
    return { x: ((at.x + 1) / 2) * width, y: ((1 - at.y) / 2) * height, depth };
  }

  /** The row of the shown point nearest to a place of the canvas, the front ones first; null where there is none. */
  pick(x, y, reach) {
    this.camera.updateMatrixWorld();
    const found = [];
    const { frame, tints } = this;
    const m = this.camera.projectionMatrix.clone().multiply(this.camera.matrixWorldInverse).elements;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    for (let row = 0; row < frame.count; row++) {
      if (!tints[4 * row + 3]) continue;
      const px = frame.position[3 * row] * frame.scale_m;
      const py = frame.position[3 * row + 1] * frame.scale_m;
      const pz = frame.position[3 * row + 2] * frame.scale_m;
      const depth = m[3] * px + m[7] * py + m[11] * pz + m[15];
      if (depth <= 0.2) continue;
      const dx = (((m[0] * px + m[4] * py + m[8] * pz + m[12]) / depth + 1) / 2) * width - x;
      const dy = ((1 - (m[1] * px + m[5] * py + m[9] * pz + m[13]) / depth) / 2) * height - y;
      const off = Math.hypot(dx, dy);
      if (off < reach) found.push({ row, off, depth });
    }
    if (!found.length) return null;
    // Whatever is right under the pointer comes first; a point behind it counts only where nothing is in front.
    const close = found.filter(({ off }) => off < reach / 3);
    const candidates = close.length ? close : found;
    // Not Math.min(...): a cloud seen from afar has more candidates than a call takes arguments.
    const front = candidates.reduce((least, { depth }) => Math.min(least, depth), Infinity) * 1.1 + 0.3;
    return candidates.filter(({ depth }) => depth <= front).sort((one, other) => one.off - other.off)[0].row;
  }
}
