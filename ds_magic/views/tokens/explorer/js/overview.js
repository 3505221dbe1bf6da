// The overview strip: surprisal over the whole answer with the entropy band, and a brush that scrolls.

const HEIGHT = 44;
const MOST_BITS = 12; // fixed, so that two runs compare

/** Draws on `canvas`; `onSeek(group)` is called while the reader brushes, `onPoint(group)` while the pointer is there. */
export class Overview {
  constructor(canvas, table, { onSeek, onPoint }) {
    this.canvas = canvas;
    this.table = table;
    this.range = [0, 1];
    this.threshold = 4;
    const under = (event) => {
      const box = canvas.getBoundingClientRect();
      const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
      return Math.min(table.groups.length - 1, Math.floor(share * table.groups.length));
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      onSeek(under(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      onPoint(under(event));
      if (canvas.hasPointerCapture(event.pointerId)) onSeek(under(event));
    });
    canvas.addEventListener("pointerleave", () => onPoint(undefined));
  }

  /** Mark where a group stands; undefined marks nothing. */
  point(group) {
    if (group === this.pointed || this.canvas.hidden) return;
    this.pointed = group;
    if (this.drawn) this.draw();
  }

  /** @param {[number, number]} range the first and the last group in view */
  show(range, threshold) {
    if (range[0] === this.range[0] && range[1] === this.range[1] && threshold === this.threshold && this.drawn) return;
    this.range = range;
    this.threshold = threshold;
    this.draw();
  }

  draw() {
    const { canvas, table } = this;
    const width = canvas.clientWidth;
    if (!width) return;
    const scale = globalThis.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(HEIGHT * scale);
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, HEIGHT);
    const style = getComputedStyle(canvas);
    const [full, soft, faint] = ["tint", "soft", "faint"].map((name) => style.getPropertyValue(`--dsx-${name}`));
    const y = (value) => HEIGHT - (HEIGHT - 2) * Math.min(1, value / MOST_BITS);
    this.profile ??= profile(table, Math.max(1, Math.floor(width)));
    if (this.profile.width !== Math.max(1, Math.floor(width))) this.profile = profile(table, Math.floor(width));
    const { surprisal, low, high, bounded } = this.profile;
    const step = width / surprisal.length;
    pen.fillStyle = faint;
    for (let x = 0; x < surprisal.length; x++) {
      if (high[x] >= low[x]) pen.fillRect(x * step, y(high[x]), step, Math.max(1, y(low[x]) - y(high[x])));
    }
    for (let x = 0; x < surprisal.length; x++) {
      if (!(surprisal[x] > 0)) continue;
      pen.fillStyle = surprisal[x] >= this.threshold ? full : soft;
      pen.fillRect(x * step, y(surprisal[x]), Math.max(1, step - (step > 4 ? 1 : 0)), HEIGHT - y(surprisal[x]));
      if (bounded[x]) pen.fillRect(x * step, 0, Math.max(1, step - 1), 2);
    }
    pen.strokeStyle = style.color;
    pen.globalAlpha = 0.5;
    pen.setLineDash([3, 3]);
    pen.beginPath();
    pen.moveTo(0, y(this.threshold));
    pen.lineTo(width, y(this.threshold));
    pen.stroke();
    pen.setLineDash([]);
    pen.globalAlpha = 1;
    const count = table.groups.length;
    const left = (this.range[0] / count) * width;
    const right = ((this.range[1] + 1) / count) * width;
    if (right - left < width - 1) {
      pen.strokeRect(left + 0.5, 0.5, Math.max(3, right - left - 1), HEIGHT - 1);
    }
    if (this.pointed !== undefined) {
      pen.fillStyle = style.color;
      pen.fillRect((this.pointed / count) * width, 0, Math.max(2, width / count), HEIGHT);
    }
    this.drawn = true;
  }
}

/** One value a column of pixels: the greatest surprisal, the mean bounds of entropy, whether any was censored. */
function profile(table, width) {
  const columns = Math.max(1, Math.min(width, table.length));
  const surprisal = new Float32Array(columns);
  const low = new Float32Array(columns);
  const high = new Float32Array(columns);
  const bounded = new Uint8Array(columns);
  const known = new Uint32Array(columns);
  for (let i = 0; i < table.length; i++) {
    const x = Math.min(columns - 1, Math.floor((i * columns) / table.length));
    const value = table.surprisal(i);
    if (value > surprisal[x]) surprisal[x] = value;
    if (table.status(i) === "censored") bounded[x] = 1;
    const entropy = table.columns.low[i];
    if (Number.isNaN(entropy)) continue;
    known[x] += 1;
    low[x] += entropy;
    high[x] += Number.isFinite(table.columns.high[i]) ? table.columns.high[i] : MOST_BITS;
  }
  for (let x = 0; x < columns; x++) {
    if (known[x]) {
      low[x] /= known[x];
      high[x] /= known[x];
    } else {
      low[x] = 1;
      high[x] = 0;
    }
  }
  return { width, surprisal, low, high, bounded };
}
