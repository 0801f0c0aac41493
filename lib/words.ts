/** Counts in words. */

/** "1 run", "1,260 runs", "2 passes". */
export function plural(count: number, word: string): string {
  return `${count.toLocaleString('en')} ${word}${count === 1 ? '' : word.endsWith('s') ? 'es' : 's'}`;
}
