/** trm-lab report: tables and figures from the records in data/ and bench/results, nothing else. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../errors.js';
import { failureScales, isFailure } from '../sweep/failures.js';
import { tableBases, type PaperTable } from '../sweep/plan.js';
import { finalEvaluation, readRecords, type RunRecord } from '../experiment/record.js';
import { projectRoot, writeFileAtomic } from '../files.js';
import { benchSummary, type BenchRecord } from '../report/bench.js';
import { accuracyVersusCycles, paperVersusOurs } from '../report/figures.js';
import { tableOfFrame } from '../report/frames.js';
import {
  failureNotes,
  failuresTable,
  precisionPairs,
  precisionTable,
  ratingsTable,
  searchTable,
  withoutRuns,
} from '../report/lessons.js';
import { comparedRows, paperTable, paperTableFrame, paperTableRows } from '../report/paper-tables.js';
import type { Caption } from '../report/draw/plot-layout.js';
import { pictureFiles, type Figure } from '../report/draw/plotly.js';
import {
  accuracyVersusDepth,
  costVersusAccuracy,
  haltingOverTraining,
  learningCurves,
  longerThinking,
  studyCaption,
  trainingVersusTest,
} from '../report/study-figures.js';
import { resultsTable, toCsv, toMarkdown, toTableHtml, type Table } from '../report/tables.js';
import type { Command } from './command.js';

export const report: Command = {
  name: 'report',
  summary:
    "Rebuild the README's tables, the paper's tables with ours beside them, and the figures from the records in data/runs, data/search, data/precision and bench/results.",
  positionals: '',
  count: [0, 0],
  options: {},
  example: 'npm run report',
  minutes: 'half a minute',

  async run(_args, out) {
    const sources = reportSources();
    const { records } = sources;
    if (records.length === 0)
      throw new InputError('data/runs: expected at least one record, got none; train with --record');
    const readme = path.join(projectRoot(), 'README.md');
    writeFileAtomic(readme, withReports(readFileSync(readme, 'utf8'), records, benchRecords()));
    out.line(resultsTable(plainRuns(records)));
    const files: string[] = [];
    for (const [name, content] of await reportFiles(sources)) {
      const file = path.join(projectRoot(), 'figures', name);
      writeFileAtomic(file, content);
      files.push(file);
    }
    for (const file of files) out.line(path.relative(process.cwd(), file));
    out.result({
      records: records.map(({ id }) => id),
      files: files.map((file) => path.relative(projectRoot(), file)),
    });
    return 0;
  },
};

/** The records that reports are made of. */
export interface ReportSources {
  /** data/runs: what every table and figure shows. */
  readonly records: readonly RunRecord[];
  /** data/search: tries scored on validation puzzles. */
  readonly searched?: readonly RunRecord[];
  /** data/precision: runs of `records` in bfloat16, made again in float32. */
  readonly again?: readonly RunRecord[];
}

/** The committed records. Throws InputError for one that is no record. */
export function reportSources(): Required<ReportSources> {
  const read = (folder: string): RunRecord[] => readRecords(path.join(projectRoot(), 'data', folder));
  return { records: read('runs'), searched: read('search'), again: read('precision') };
}

const tables: readonly PaperTable[] = [1, 2, 3, 4, 5];
const scales = ['laptop', 'desk', 'paper'] as const;

/** Runs that stand for themselves; rows of the paper's tables, and lessons, have tables of their own. */
function plainRuns(records: readonly RunRecord[]): RunRecord[] {
  return records.filter((record) => record.experiment.variant === null && !isFailure(record));
}

/** Every table of the paper of which something was run, by scale and base: [table, base name, rows]. */
function studies(
  records: readonly RunRecord[],
): { readonly table: PaperTable; readonly base: ReturnType<typeof tableBases>[number]; readonly name: string }[] {
  return scales
    .flatMap((scale) =>
      tables.flatMap((table) =>
        tableBases(table, scale).map((base) => ({ table, base, name: `table-${table}-${base.name}` })),
      ),
    )
    .filter(({ table, base }) => paperTableRows(table, base, records).some(({ records: ours }) => ours.length > 0));
}

/** Files of figures/ that are tables: [name, content]. */
export function reportTables({ records, searched = [], again = [] }: ReportSources): [string, string][] {
  const lessons = failureScales.flatMap((scale): [string, string][] => {
    const table = failuresTable(records, scale);
    return scale === 'smoke' || table.rows.length === 0 ? [] : lessonFiles(`failures-${scale}`, table, failureNotes());
  });
  const ratings = scales.flatMap((scale): [string, string][] => {
    const table = ratingsTable(records.filter(({ experiment }) => experiment.scale === scale));
    return table.rows.length === 0
      ? []
      : lessonFiles(`ratings-${scale}`, table, [
          'Test puzzles by the guesses that a backtracking solver made for them; 0 is solved by logic alone. After the last supervision step, EMA weights.',
        ]);
  });
  const choices =
    searched.length === 0
      ? []
      : lessonFiles('search', searchTable(searched), [
          'How configurations were chosen: every recorded try, scored on validation puzzles only, best first; a try with another task on that task’s puzzles; on ARC, tasks solved in two tries of the vote. No test puzzle was looked at.',
        ]);
  const precisions =
    again.length === 0
      ? []
      : lessonFiles('precision', precisionTable(records, again), [
          'The same experiment and seeds in both precisions, each on one kind of machine; p: two-sided paired t-test over seeds.',
        ]);
  return [...paperTables(records), ...lessons, ...ratings, ...choices, ...precisions];
}

function lessonFiles(name: string, table: Table, notes: readonly string[]): [string, string][] {
  return [
    [`${name}.md`, `${[toMarkdown(withoutRuns(table)), ...notes].join('\n\n')}\n`],
    [`${name}.csv`, toCsv(table)],
    [`${name}.html`, `${toTableHtml(table)}\n`],
  ];
}

function paperTables(records: readonly RunRecord[]): [string, string][] {
  return studies(records).flatMap(({ table, base, name }): [string, string][] => {
    const rows = tableOfFrame(paperTableFrame(table, base, records), 4);
    return [
      [`${name}.md`, `${paperTable(table, base, records)}\n`],
      [`${name}.csv`, toCsv(rows)],
      [`${name}.html`, `${toTableHtml(rows)}\n`],
    ];
  });
}

/** Figures of figures/ by name; those to which no record has anything to say are left out. */
export function reportFigures({ records, again = [] }: ReportSources): [string, Figure][] {
  const figures: [string, Figure][] = [['accuracy-versus-cycles', accuracyVersusCycles(plainRuns(records))]];
  for (const { name, bf16, float32 } of precisionPairs(records, again)) {
    const rows = [
      { row: { label: 'bfloat16' }, records: bf16 },
      { row: { label: 'float32' }, records: float32 },
    ];
    figures.push([
      `precision-${name}`,
      learningCurves(rows, {
        title: 'Does bfloat16 learn as float32 does?',
        subtitle: studyCaption(rows, 'shaded from the worst to the best', ({ evaluations }) => evaluations),
      }),
    ]);
  }
  for (const { table, base, name } of studies(records)) {
    const rows = paperTableRows(table, base, records);
    const [dots, bars] = ['', 'bars: standard deviation'].map((spread) => ({ subtitle: studyCaption(rows, spread) }));
    const bands = (shown: Parameters<typeof studyCaption>[2]): Caption => ({
      subtitle: studyCaption(rows, 'shaded from the worst to the best', shown),
    });
    const of = base.task.kind === 'arc' ? { of: 'Test tasks solved in two tries' } : {};
    figures.push([
      `figure-${name}`,
      paperVersusOurs(comparedRows(table, base, records), {
        ...dots,
        ...of,
        title: `Table ${table}, ours and the paper’s`,
      }),
    ]);
    if (table === 3) figures.push([`depth-${base.name}`, accuracyVersusDepth(rows, bars)]);
    if (table !== 1) continue;
    figures.push(
      [`cost-${base.name}`, costVersusAccuracy(rows, bars)],
      [
        `learning-${base.name}`,
        learningCurves(
          rows,
          bands(({ evaluations }) => evaluations),
        ),
      ],
      [`halting-${base.name}`, haltingOverTraining(rows, dots)],
    );
    const ours = rows.flatMap(({ records: own }) => own);
    if (ours.some(({ onTraining }) => onTraining !== undefined))
      figures.push([
        `training-versus-test-${base.name}`,
        trainingVersusTest(rows, {
          subtitle: studyCaption(rows, '', (record) => [finalEvaluation(record), record.onTraining]),
        }),
      ]);
    if (ours.some(({ longer }) => longer !== undefined))
      figures.push([
        `longer-${base.name}`,
        longerThinking(
          rows,
          bands(({ longer }) => [longer]),
        ),
      ]);
  }
  return figures;
}

/** All files of figures/ that follow from the records, [name, content]: the same bytes for the same records. */
export async function reportFiles(sources: ReportSources): Promise<[string, string | Uint8Array][]> {
  const files: [string, string | Uint8Array][] = [];
  for (const [name, figure] of reportFigures(sources)) files.push(...(await pictureFiles(name, figure)));
  return [...files, ...reportTables(sources)];
}

/** The committed measurements of npm run bench, fastest level first. */
export function benchRecords(): BenchRecord[] {
  const folder = path.join(projectRoot(), 'bench', 'results');
  return benchLevels
    .map((level) => path.join(folder, `${level}.json`))
    .filter((file) => existsSync(file))
    .map((file) => JSON.parse(readFileSync(file, 'utf8')) as BenchRecord);
}

const benchLevels = ['amx', 'avx512bf16', 'avx512', 'avx2', 'portable'];

/** A text with its reports, each between its two markers, made anew from the records. Throws InputError if a marker is missing. */
export function withReports(text: string, records: readonly RunRecord[], benches: readonly BenchRecord[]): string {
  const reports: [string, string][] = [
    ['results', resultsTable(plainRuns(records).filter((record) => !isDesk(record)))],
    ['desk', resultsTable(records.filter(isDesk))],
    ...readmeTables.flatMap((table) =>
      tableBases(table, 'laptop').map((base): [string, string] => [`table-${table}`, paperTable(table, base, records)]),
    ),
    ['bench', benchSummary(benches)],
  ];
  return reports.reduce((sofar, [name, report]) => withReport(sofar, name, report), text);
}

/** The desk scale has a table of its own. */
function isDesk({ experiment }: RunRecord): boolean {
  return experiment.scale === 'desk';
}

/** The tables that the README shows, at laptop scale, where each has one base. */
const readmeTables: readonly PaperTable[] = [1, 2, 3];

function withReport(text: string, name: string, report: string): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from)
    throw new InputError(
      `README.md: expected the lines ${begin} and ${end}, got ${from < 0 ? 'no first one' : 'no second one after it'}; put them where the table belongs`,
    );
  return `${text.slice(0, from + begin.length)}\n${report}\n${text.slice(to)}`;
}
