// The word that somebody may have meant: `difflib.get_close_matches`, so that the page says what the kernel will say.

const LONGEST = 64;

/** The word nearest to `word`; null where none is as like it as `likeness`, of 1, or it is longer than one types. */
export function nearest(word, words, likeness = 0.65) {
  const letters = [...word];
  if (letters.length > LONGEST) return null;
  let best = null, most = likeness;
  for (const each of words) {
    const other = [...each];
    const total = letters.length + other.length;
    const like = total ? (2 * common(other, letters)) / total : 1;
    if (like > most || (like === most && (best === null || each > best))) [best, most] = [each, like];
  }
  return best;
}

/** How many letters the longest run that both have, and those before and behind it, have in common. */
function common(one, other) {
  let length = 0, at = 0, otherAt = 0, runs = [];
  for (let i = 0; i < one.length; i++) {
    const here = [];
    for (let j = 0; j < other.length; j++) {
      if (one[i] !== other[j]) continue;
      here[j] = (runs[j - 1] ?? 0) + 1;
      if (here[j] > length) [length, at, otherAt] = [here[j], i - here[j] + 1, j - here[j] + 1];
    }
    runs = here;
  }
  if (!length) return 0;
  return length + common(one.slice(0, at), other.slice(0, otherAt)) +
    common(one.slice(at + length), other.slice(otherAt + length));
}
