/** Counts in words, and words in lines. */

/** "1 run", "1,260 runs", "2 passes". */
export function plural(count: number, word: string): string {
  return `${count.toLocaleString('en')} ${word}${count === 1 ? '' : word.endsWith('s') ? 'es' : 's'}`;
}

/** "500", "200 or 500", "300 to 10,000": the distinct values among several counts. */
export function countsText(counts: readonly number[]): string {
  const words = [...new Set(counts)].sort((one, other) => one - other).map((count) => count.toLocaleString('en'));
  return words.length > 2 ? `${words[0]} to ${words.at(-1)}` : words.join(' or ');
}

/** Text broken at spaces so that no line exceeds `width` characters; `joint` goes between the parts of a line. */
export function wrapped(text: string, width: number, joint = '\n'): string {
  if (width === Infinity) return text;
  return text.replaceAll(new RegExp(`(?=.{${width + 1}})(.{1,${width}}) `, 'g'), (_, part: string) => part + joint);
}
