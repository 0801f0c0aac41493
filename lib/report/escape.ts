/** Text as Markdown and as HTML say it, so that nothing in a name is taken for markup. */

/**
 * Text within Markdown, a table's cell included.
 * The one mark that stays is `<sup>`, by which tables point at their notes.
 */
export function markdownText(text: string): string {
  return (
    text
      .replaceAll(/&(?=#?\w+;)/g, '&amp;')
      .replaceAll(/<(?=[a-z/!?])(?!\/?sup>)/gi, '&lt;')
      .replaceAll('](', ']\\(') // no link and no picture
      // A backslash before it would undo the escape.
      .replaceAll(/\\*\|/g, (end) => `${'&#92;'.repeat(end.length - 1)}\\|`)
      .replaceAll(/[\n\r\v\f\u0085\u2028\u2029]/g, ' ')
  );
}

/** Text within an HTML element. */
export function htmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Text whose numbers stay on one line with their ±, % and footnote: the spaces there do not break. */
export function keptTogether(text: string): string {
  return text.replaceAll(/ (?=[±%]|<sup>)|(?<=±) /g, '\u00A0');
}
