// Unpacks the frame that pack.py packed.

const NO_PIXEL = 65535;

/** The bytes behind base64. */
function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** Undoes zlib. */
async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** An array of integers from differences of neighbours, low bytes first and high bytes behind them. */
async function unpacked(text, Kind, count) {
  const bytes = await inflated(bytesOf(text));
  const values = new Kind(count);
  const wide = Kind.BYTES_PER_ELEMENT === 2;
  let sum = 0;
  for (let at = 0; at < count; at++) {
    sum += wide ? bytes[at] | (bytes[count + at] << 8) : bytes[at];
    values[at] = sum; // integer arrays wrap around, as the differences did
  }
  return values;
}

/** The whole frame with its arrays. */
async function unpackFrame(scene) {
  const count = scene.count;
  const [x, y, z] = await Promise.all([scene.x, scene.y, scene.z].map((text) => unpacked(text, Int16Array, count)));
  const bytes = (text) => unpacked(text, Uint8Array, count);
  const position = new Int16Array(3 * count);
  const finite = new Uint8Array(count);
  for (let row = 0; row < count; row++) {
    position.set([x[row], y[row], z[row]], 3 * row);
    finite[row] = x[row] === -32768 ? 0 : 1;
  }
  return {
    ...scene,
    position,
    finite,
    label: await bytes(scene.label),
    camera: await unpacked(scene.camera, Int8Array, count),
    flags: await bytes(scene.flags),
    pixelCol: await unpacked(scene.pixel_col, Uint16Array, count),
    pixelRow: await unpacked(scene.pixel_row, Uint16Array, count),
    topClass: await Promise.all(scene.top_class.map(bytes)),
    topScore: await Promise.all(scene.top_score.map(bytes)),
    intensity: scene.intensity === null ? null : await bytes(scene.intensity),
  };
}

/** x, y, z of a point in metres. */
function pointAt(frame, row) {
  return [0, 1, 2].map((axis) => frame.position[3 * row + axis] * frame.scale_m);
}

/** Metres along the optical axis of an image's camera. */
function depthOf(image, [x, y, z]) {
  const m = image.depth_from_lidar;
  return m[0] * x + m[1] * y + m[2] * z + m[3];
}
