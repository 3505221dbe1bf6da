// The explorer's data: reads what payload.py packs, and answers questions about one token.

const TYPES = {
  float32: Float32Array, uint32: Uint32Array, uint16: Uint16Array, uint8: Uint8Array, int8: Int8Array,
};
const LN2 = Math.LN2;

export class Table {
  /** @param {DataView} view the bytes that payload.pack made */
  constructor(view) {
    const headerLength = view.getUint32(0, true);
    const header = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + 4, headerLength));
    this.meta = JSON.parse(header);
    // A copy, so that typed arrays may lie over it wherever the message put the bytes.
    const start = view.byteOffset + 4 + headerLength;
    const bytes = view.buffer.slice(start, view.byteOffset + view.byteLength);
    this.columns = {};
    for (const [name, type, offset, length] of this.meta.arrays) {
      this.columns[name] = new TYPES[type](bytes, offset, length);
    }
    this.length = this.columns.code.length;
    this.starts = prefixSums(this.columns.count);
    this.groups = this.columns.group ?? Uint32Array.from({ length: this.length }, (_, i) => i);
    this.groupOf = new Uint32Array(this.length);
    for (let i = 0, g = 0; i < this.length; i++) {
      while (this.groups[g + 1] <= i) g++;
      this.groupOf[i] = g;
    }
  }

  /** The index after the last token of a group: tokens that are drawn as one character. */
  groupEnd(group) {
    return group + 1 < this.groups.length ? this.groups[group + 1] : this.length;
  }

  /** How a group stands in the running text. */
  text(group) {
    const start = this.groups[group];
    return this.meta.texts[start] ?? this.label(start);
  }

  label(i) {
    return this.meta.labels[this.columns.code[i]];
  }

  position(i) {
    return this.columns.position?.[i] ?? this.meta.first + i;
  }

  /** The bytes of a token of the vocabulary, at most 256; its label tells them where the header does not. */
  bytes(code) {
    const hex = this.meta.bytes[code];
    if (hex === undefined) return new TextEncoder().encode(this.meta.labels[code].replaceAll("·", " "));
    return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  }

  /** The bound of a censored token's logprob, NaN where there is none. */
  upper(i) {
    return this.meta.uppers[i] ?? Number.NaN;
  }

  status(i) {
    return this.meta.statuses[this.columns.status[i]];
  }

  isForced(i) {
    return (this.columns.flags[i] & 1) === 1;
  }

  isDamaged(i) {
    return (this.columns.flags[i] & 2) === 2;
  }

  prob(i) {
    return Math.exp(this.columns.logprob[i]);
  }

  /** What was not returned at a token, as the table has it: alternatives here are rounded. */
  rest(i) {
    return this.columns.rest[i];
  }

  /** Bits; a lower bound where the token is censored, NaN where nothing is known. */
  surprisal(i) {
    const logprob = this.columns.logprob[i];
    const value = -(Number.isNaN(logprob) ? this.upper(i) : logprob) / LN2;
    return value === 0 ? 0 : value;
  }

  /** Whether a token of the vocabulary is whole characters. */
  isText(code) {
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(this.bytes(code));
      return true;
    } catch {
      return false;
    }
  }

  /** The greatest class of a group under a metric; −1 where nothing is known. */
  classOf(metric, group) {
    const classes = this.columns[`class_${metric}`];
    let most = classes[this.groups[group]];
    for (let i = this.groups[group]; i < this.groupEnd(group); i++) most = Math.max(most, classes[i]);
    return most;
  }

  /** The alternatives of a token, the likeliest first: {rank, label, code, prob, cumulative, chosen}. */
  alternatives(i) {
    const { alternativeCode, alternativeStep, chosen } = this.columns;
    const found = [];
    let cumulative = 0;
    for (let at = this.starts[i]; at < this.starts[i + 1]; at++) {
      if (alternativeStep[at] === this.meta.noNumber) continue;
      const rank = at - this.starts[i] + 1, isChosen = rank === chosen[i];
      // Rounded, but for the chosen one: its share is written in other places, too.
      const isExact = isChosen && !Number.isNaN(this.columns.logprob[i]);
      const prob = isExact ? this.prob(i) : Math.exp(-alternativeStep[at] / this.meta.step);
      cumulative += prob;
      const code = alternativeCode[at];
      found.push({
        rank, label: this.meta.labels[code], code, prob, cumulative, chosen: isChosen,
        // The last step stands for everything below it.
        shown: !isExact && alternativeStep[at] === this.meta.noNumber - 1 ? `< ${prob.toExponential(0)}` : undefined,
      });
    }
    return found;
  }
}

/** A probability in about two digits, as numbers.percent writes it; NaN is a dash. */
export function percent(p) {
  if (Number.isNaN(p)) return "—";
  if (p > 0.9995) return "> 99.9 %";
  if (p >= 0.00995) return `${(100 * p).toFixed(1)} %`;
  if (p >= 1e-6) return `${(100 * p).toFixed(1 - Math.floor(Math.log10(100 * p)))} %`;
  return p > 0 ? p.toExponential(0) : "≈ 0 %";
}

/** The chosen token's probability in words: a number, a bound, or a dash. */
export function chance(table, i) {
  if (table.status(i) === "exact") return percent(table.prob(i));
  const upper = table.upper(i);
  return table.status(i) === "censored" && !Number.isNaN(upper) ? `< ${percentAbove(Math.exp(upper))}` : "—";
}

/** What nobody drew, as numbers.remainder writes it: a bound where the error of a sum is much of it. */
export function remainder(table, rest) {
  return rest < table.meta.vagueRest ? `< ${percentAbove(rest + table.meta.restError)}` : percent(rest);
}

/** A bound in about two digits, never below `p`. */
export function percentAbove(p) {
  const digits = p < 0.1 ? Math.max(1, 1 - Math.floor(Math.log10(100 * p))) : 1;
  const step = 10 ** -digits;
  return `${(Math.ceil((100 * p) / step - 1e-9) * step).toFixed(digits)} %`;
}

export function rank(table, i) {
  const { rank: ranks, count } = table.columns;
  if (ranks[i]) return `${ranks[i]}`;
  return count[i] && ["exact", "censored"].includes(table.status(i)) ? `> ${count[i]}` : "—";
}

export function bits(table, i) {
  const value = table.surprisal(i);
  if (Number.isNaN(value)) return "—";
  return `${table.status(i) === "censored" ? "≥ " : ""}${value.toFixed(1)}`;
}

export function interval(low, high) {
  if (Number.isNaN(low)) return "—";
  if (!Number.isFinite(high)) return `at least ${low.toFixed(1)}`;
  return high - low < 0.05 ? low.toFixed(1) : `between ${low.toFixed(1)} and ${high.toFixed(1)}`;
}

function prefixSums(lengths) {
  const sums = new Uint32Array(lengths.length + 1);
  for (let i = 0; i < lengths.length; i++) sums[i + 1] = sums[i] + lengths[i];
  return sums;
}
