/** Escapes text for Markdown and HTML, so that no name is read as markup. */

/** Escapes text for Markdown, table cells included. Keeps `<sup>` alone, which tables use to refer to notes. */
export function markdownText(text: string): string {
  return (
    text
      .replaceAll(/&(?=#?\w+;)/g, '&amp;')
      .replaceAll(/<(?=[a-z/!?])(?!\/?sup>)/gi, '&lt;')
      .replaceAll('](', ']\\(') // no link and no picture
      // A backslash before the bar would undo the escape.
      .replaceAll(/\\*\|/g, (end) => `${'&#92;'.repeat(end.length - 1)}\\|`)
      .replaceAll(/[\n\r\v\f\u0085\u2028\u2029]/g, ' ')
  );
}

/** Text within an HTML element. */
export function htmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Text whose numbers stay on one line with their ±, % and footnote, by no-break spaces. */
export function keptTogether(text: string): string {
  return text.replaceAll(/ (?=[±%]|<sup>)|(?<=±) /g, '\u00A0');
}
