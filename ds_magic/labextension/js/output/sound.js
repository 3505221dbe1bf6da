// Whether a table that stood in a file is one: everything that the explorer reads of it is there and within its bounds.

const COLUMNS = ["logprob", "low", "high", "rest", "rank", "count", "chosen", "status", "flags"]; // beside `code`
const METRICS = ["surprisal", "probability", "rank", "entropy"];
const MOST = 1_000_000; // tokens
const MOST_ALTERNATIVES = 1_000; // of a token; their sum cannot overflow then
const LEAST = -200; // a logprob: of what is below, no share can be written

/** Whether `table`, which has been read, can be drawn. */
export function isSound(table) {
  const { meta, columns, length, groups } = table;
  const columnsOf = [...COLUMNS, ...meta.metrics.map(({ name }) => `class_${name}`)];
  return length > 0 && length <= MOST
    && columnsOf.every((name) => columns[name]?.length === length)
    && meta.metrics.length > 0 && meta.metrics.every(isMetric)
    && isList(meta.labels, "string") && isList(meta.notes, "string") && isList(meta.statuses, "string")
    && Array.isArray(meta.measures) && meta.measures.every((one) => isList(one, "string"))
    && [meta.bytes, meta.uppers, meta.texts].every((one) => one && typeof one === "object")
    && [...Object.values(meta.bytes), ...Object.values(meta.texts)].every((one) => typeof one === "string")
    && Object.values(meta.uppers).every((bound) => bound <= 0 && bound > LEAST)
    && columns.count.every((count) => count <= MOST_ALTERNATIVES)
    && [columns.code, columns.alternativeCode].every((codes) => codes.every((code) => code < meta.labels.length))
    && columns.alternativeStep.length === table.starts[length] && columns.alternativeCode.length === table.starts[length]
    && columns.status.every((code) => code < meta.statuses.length)
    && groups[0] === 0 && groups.every((at, group) => at < length && (!group || at > groups[group - 1]));
}

function isMetric({ name, title, classes, unknown }) {
  return METRICS.includes(name) && typeof title === "string" && typeof unknown === "string" && isList(classes, "string");
}

function isList(value, type) {
  return Array.isArray(value) && value.every((one) => typeof one === type);
}
