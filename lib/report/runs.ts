/** The report of any runs: a table to read, its data as CSV, and the figure of accuracy versus cycles. */
import path from 'node:path';
import type { Experiment } from '../experiment/experiment.js';
import { quotedAccuracy, type RunRecord } from '../experiment/record.js';
import { projectRoot } from '../files.js';
import { writeFileAtomic } from '../write-file.js';
import type { PaperTable } from '../sweep/plan.js';
import { recordsTable } from './ablation.js';
import { toPng, toSvg, type Figure } from './draw/plotly.js';
import { failureModeNotes, failureModesTable } from './failure-modes.js';
import { accuracyVersusCycles, rowsVersusCycles } from './figures.js';
import { recordRows } from './frames.js';
import { paperTableRows } from './paper-rows.js';
import { paperTable, paperTableCsv } from './paper-tables.js';
import { searchTable } from './searches.js';
import { meanAndSpread, notesOn, tableOfRows, toCsv, toMarkdown, toText, withoutRuns, type Table } from './tables.js';

/** A table as Markdown for people and as CSV for programs. */
export interface TableTexts {
  readonly markdown: string;
  readonly csv: string;
}

/** The report of some runs. */
export interface RunsReport extends TableTexts {
  /** The name of its files. */
  readonly name: string;
  /** The short version for a terminal. */
  readonly text: string;
  readonly figure: Figure;
}

/** A report of any records: the Markdown has a row for each experiment, the CSV a row for each run. */
export function recordsReport(name: string, records: readonly RunRecord[]): RunsReport {
  const markdown = [recordsTable(records), ...notesOn(records)].join('\n\n');
  return reportOf(name, { markdown, csv: toCsv(tableOfRows(recordRows(records))) }, records);
}

/** One of the paper's tables on one base. */
export function paperTableReport(table: PaperTable, base: Experiment, records: readonly RunRecord[]): RunsReport {
  const rows = paperTableRows(table, base, records);
  const short = rows
    .filter(({ records: own }) => own.length > 0)
    .map(({ row: { label }, records: own }) => [label, meanAndSpread(own.map(quotedAccuracy)), String(own.length)]);
  return {
    name: `table-${table}-${base.name}`,
    markdown: paperTable(table, base, records),
    text: toText({ columns: [`Table ${table} on ${base.name}`, 'solved', 'seeds'], rows: short }),
    csv: paperTableCsv(table, base, records),
    figure: rowsVersusCycles(rows),
  };
}

/** The report of the failure modes at a scale; its figure draws `own`, the runs that were made for them. */
export function failureModesReport(
  scale: string,
  records: readonly RunRecord[],
  own: readonly RunRecord[],
): RunsReport {
  const texts = tableTexts(failureModesTable(records, scale), failureModeNotes(records, scale));
  return reportOf(`failure-modes-${scale}`, texts, own);
}

/** The tries of a search, the best first. */
export function searchReport({ base }: Experiment, records: readonly RunRecord[]): RunsReport {
  return reportOf(`${base}-search`, tableTexts(searchTable(records)), records);
}

function reportOf(name: string, texts: TableTexts, records: readonly RunRecord[]): RunsReport {
  return { name, ...texts, text: texts.markdown, figure: accuracyVersusCycles(records) };
}

/** A table whose last column lists each row's runs: Markdown without it but with notes, and CSV with it. */
export function tableTexts(table: Table, notes: readonly string[] = []): TableTexts {
  return { markdown: [toMarkdown(withoutRuns(table)), ...notes].join('\n\n'), csv: toCsv(table) };
}

/**
 * Writes reports beside their records, <name>.md, <name>.csv and <name>-accuracy-versus-cycles.png; what is made of
 * the project's own data goes to build/reports, which Git ignores. Returns the paths.
 */
export async function writeRunsReports(records: string, reports: readonly RunsReport[]): Promise<string[]> {
  const folder = isProjectData(records) ? path.join(projectRoot(), 'build', 'reports') : records;
  const files: [string, string | Uint8Array][] = [];
  for (const { name, markdown, csv, figure } of reports) {
    const of = (end: string): string => path.join(folder, `${name}${end}`);
    files.push(
      [of('.md'), `${markdown}\n`],
      [of('.csv'), csv],
      [of('-accuracy-versus-cycles.png'), await toPng(await toSvg(figure))],
    );
  }
  for (const [file, content] of files) writeFileAtomic(file, content);
  return files.map(([file]) => file);
}

/** Whether a folder is in the project's data, where reports are written only on request. */
export function isProjectData(folder: string): boolean {
  const within = path.relative(path.join(projectRoot(), 'data'), folder);
  return within === '' || !(within.startsWith('..') || path.isAbsolute(within));
}
