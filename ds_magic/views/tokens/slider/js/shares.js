// The shares of a place at a temperature and cuts, as logprobs/tempered_place.py computes them: the same steps, in its order.

export const [KEPT, PRUNED, UNSURE] = [1, 0, -1];
const ROUNDING = 1e-9;
const COLDEST = 1e12;

/** A place from what the kernel sent: `logprobs` the likeliest first, and what is known of all other tokens. */
export function placeOf(payload, told) {
  const view = new DataView(payload.buffer ?? payload, payload.byteOffset ?? 0, payload.byteLength);
  const logprobs = Float64Array.from({ length: view.byteLength / 4 }, (_, at) => view.getFloat32(4 * at, true));
  return { ...told, logprobs, others: told.others ?? Infinity };
}

/**
 * The shares at a setting {temperature, topP, topK}, where a topP of 1 and a topK of 0 cut nothing.
 *
 * One value an alternative: `low`, `high`, `uncutLow`, `uncutHigh`, `kept`; `rest` and `uncutRest` are pairs of bounds
 * for all that was not returned, `count` for how many tokens may be drawn.
 */
export function tempered(place, { temperature, topP, topK }) {
  const isCut = temperature > 0 && (topP < 1 || topK > 0);
  const { weights, rest, others } = weighed(place, temperature);
  const known = sum(weights);
  let uncutLow = weights.map((each) => each / (known + rest[1]));
  let uncutHigh = weights.map((each) => each / (known + rest[0]));
  let uncutRest = rest.map((each) => share(each, known));
  if (temperature === 1 && others > 0) {
    uncutLow = uncutHigh = place.logprobs.map(Math.exp);
    uncutRest = Array(2).fill(Math.max(0, 1 - sum(uncutLow)));
  }
  const uncut = { uncutLow, uncutHigh, uncutRest };
  if (!isCut) {
    const kept = Int8Array.from(weights, (each) => (temperature > 0 || each > 0 ? KEPT : PRUNED));
    const count = temperature > 0 ? weights.length + others : kept.filter((each) => each === KEPT).length;
    return { low: uncutLow, high: uncutHigh, kept, rest: uncutRest, count: [count, count], ...uncut };
  }
  const allowed = topK > 0 ? Math.min(weights.length, topK) : weights.length;
  const more = topK > 0 ? topK - weights.length : Infinity;
  const last = weights[weights.length - 1];
  let [unseen, unseenCount] = [rest, others];
  if (more <= 0) [unseen, unseenCount] = [[0, 0], 0];
  else if (more < others) {
    const part = Number.isFinite(others) ? more / others : 0;
    [unseen, unseenCount] = [[rest[0] * part, Math.min(rest[1], more * last)], more];
  }
  return { ...nucleus(weights, allowed, unseen, unseenCount, topP), ...uncut };
}

function weighed({ logprobs, outsideLogprob, others, mass, error }, temperature) {
  const first = logprobs[0];
  if (temperature === 0) {
    return { weights: logprobs.map((each) => (each === first ? 1 : 0)), rest: [0, 0], others };
  }
  const beta = Math.min(1 / temperature, COLDEST);
  const hasOutside = outsideLogprob !== null;
  const own = hasOutside ? Math.exp(beta * (outsideLogprob - first)) : 0;
  const least = Math.exp(logprobs[logprobs.length - 1]);
  const high = Math.min(Math.max(0, 1 + error - mass), others > 0 ? others * least : 0);
  const low = Math.min(Math.max(0, 1 - error - mass), high);
  const [lowest, highest] = [low, high].map((each) => powers(each, Math.exp(first), least, others, beta));
  const rest = [own + Math.min(...lowest), own + Math.max(...highest)];
  return { weights: logprobs.map((each) => Math.exp(beta * (each - first))), rest, others: others + (hasOutside ? 1 : 0) };
}

/** Σ (q/p₁)^β of a rest in as few tokens as may be, and of one spread over the vocabulary. */
function powers(rest, p, least, others, beta) {
  if (beta === 1) return [rest / p, rest / p];
  const atoms = least > 0 ? Math.floor(rest / least) : 0;
  const few = atoms * (least / p) ** beta + (Math.max(0, rest - atoms * least) / p) ** beta;
  if (!(rest > 0)) return [few, 0];
  if (others === Infinity) return [few, beta > 1 ? 0 : Infinity];
  return [few, others * (rest / Math.max(1, others) / p) ** beta];
}

/** The likeliest of the first `allowed` tokens and of `others`, which weigh `rest`, that make up `topP` of all. */
function nucleus(weights, allowed, rest, others, topP) {
  const size = weights.length;
  const low = new Float64Array(size);
  const high = new Float64Array(size);
  const kept = new Int8Array(size);
  const sums = new Float64Array(allowed);
  for (let at = 0, total = 0; at < allowed; at++) sums[at] = total += weights[at];
  const known = sums[allowed - 1];
  const all = allowed + others;
  if (topP >= 1) {
    for (let at = 0; at < allowed; at++) {
      [low[at], high[at], kept[at]] = [weights[at] / (known + rest[1]), weights[at] / (known + rest[0]), KEPT];
    }
    return { low, high, kept, rest: rest.map((each) => share(each, known)), count: [all, all] };
  }
  const enough = rest.map((each) => topP * (known + each) * (1 - ROUNDING));
  const [first, last] = enough.map((each) => place(sums, each) + 1);
  const end = weights[allowed - 1];
  let [least, most, unseen, count] = [sums[first - 1], sums[last - 1], [0, 0], [first, last]];
  if (last > allowed) {
    least = first <= allowed ? sums[first - 1] : Math.max(known, enough[0]);
    most = Math.min(known + rest[1], topP * (known + rest[1]) + end);
    unseen = [Math.max(0, 1 - known / least), 1 - known / most];
    count = [first <= allowed ? first : allowed + Math.max(1, Math.ceil((enough[0] - known) / end)), all];
  }
  for (let at = 0; at < Math.min(last, allowed); at++) {
    kept[at] = at < first ? KEPT : UNSURE;
    low[at] = at < first ? weights[at] / most : 0;
    high[at] = weights[at] / (at < first ? least : sums[at]);
  }
  return { low, high, kept, rest: unseen, count };
}

/** How many of the rising `sums` are below `wanted`. */
function place(sums, wanted) {
  let [low, high] = [0, sums.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

function share(weight, ofOthers) {
  return weight === Infinity ? 1 : weight / (weight + ofOthers);
}

function sum(values) {
  let total = 0;
  for (const each of values) total += each;
  return total;
}
