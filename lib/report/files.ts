/** The files that follow from the records: tables, figures, the texts between markers, and indexes. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../errors.js';
import { keptTogether } from './escape.js';
import { failureScales } from '../experiment/failure-modes.js';
import { closingEvaluation, recordsSoFar, type RunRecord } from '../experiment/record.js';
import { readWiderRecords, type WiderRecord } from '../experiment/wider-record.js';
import { projectRoot } from '../files.js';
import { writeFileAtomic } from '../write-file.js';
import { duration } from '../progress.js';
import { scalesOfTable, tableBases, type PaperTable } from '../sweep/plan.js';
import { benchFigure, benchSummary, type BenchRecord } from './bench.js';
import { bestTable, headline, puzzleRows } from './best.js';
import { fingerprintIn, fingerprintOf, pictureOf, type Figure } from './draw/plotly.js';
import { paperVersusOurs, rowsVersusCycles } from './figures.js';
import { figureIndex, recordIndex, type Listed } from './indexes.js';
import { failureModeNotes, failureModesTable, overfittingRows } from './failure-modes.js';
import { legend } from './legend.js';
import { precisionPairs, precisionTable } from './precision.js';
import { ratingsTable } from './ratings.js';
import { tableTexts, type TableTexts } from './runs.js';
import { searchTable } from './searches.js';
import { orderings } from './orderings.js';
import { comparedRows, paperData, paperTable, paperTableCsv, paperTableInBrief } from './paper-tables.js';
import { paperTableRows, type PaperTableRow } from './paper-rows.js';
import {
  accuracyVersusDepth,
  costVersusAccuracy,
  haltingOverTraining,
  learningCurves,
  longerThinking,
  studyCaption,
  trainingVersusTest,
} from './study-figures.js';
import { accuracyVersusCoreHours, accuracyVersusFlop, coreHours, extremeRuns, publishedTable } from './cost-figures.js';
import { resultsTable, toCsv, toMarkdown, type Table } from './tables.js';
import { thresholdTable, widerFigure, widerTable } from './wider.js';
import { plural, wrapped } from '../words.js';

/** The records that reports are made of. */
export interface ReportSources {
  /** data/runs: what every table and figure shows. */
  readonly records: readonly RunRecord[];
  /** data/search: tries scored on validation puzzles. */
  readonly searched?: readonly RunRecord[];
  /** data/precision: runs of `records` in bfloat16, made again in float32. */
  readonly again?: readonly RunRecord[];
  /** data/wider: studies of search at test time. */
  readonly wider?: readonly WiderRecord[];
  /** bench/results: npm run bench, the fastest level first. */
  readonly benches?: readonly LevelBench[];
}

/** The measurements on the best CPU of an instruction level: bench/results/LEVEL.json. */
export interface LevelBench extends BenchRecord {
  readonly level: string;
}

/** A table of figures/ and the records that made it. */
export interface ReportTable extends Listed, TableTexts {}

/** A figure of figures/ and the records that made it. */
export interface ReportFigure extends Listed {
  readonly figure: Figure;
}

/** The committed records. Throws InputError for one that is no record. */
export function reportSources(): Required<ReportSources> {
  const read = (folder: string): RunRecord[] => recordsSoFar(path.join(projectRoot(), 'data', folder));
  const wider = readWiderRecords(path.join(projectRoot(), 'data', 'wider'));
  return { records: read('runs'), searched: read('search'), again: read('precision'), wider, benches: benchRecords() };
}

const tables: readonly PaperTable[] = [1, 2, 3, 4, 5];
const scales = ['laptop', 'desk', 'paper'] as const;

/** The committed measurements, fastest level first. */
function benchRecords(): LevelBench[] {
  return ['amx', 'avx512bf16', 'avx512', 'avx2', 'portable']
    .map((level) => ({ level, file: path.join(projectRoot(), 'bench', 'results', `${level}.json`) }))
    .filter(({ file }) => existsSync(file))
    .map(({ level, file }) => ({ level, ...(JSON.parse(readFileSync(file, 'utf8')) as BenchRecord) }));
}

/** Runs without tables of their own: neither rows of the paper's tables nor failure modes. */
function plainRuns(records: readonly RunRecord[]): RunRecord[] {
  return records.filter((record) => record.experiment.variant === null && record.experiment.failureMode === null);
}

/** One of the paper's tables on one base. */
interface Study {
  readonly table: PaperTable;
  readonly base: ReturnType<typeof tableBases>[number];
  readonly name: string;
}

/** Every table of the paper that has runs, by scale and base. */
function studies(records: readonly RunRecord[]): Study[] {
  return scales
    .flatMap((scale) =>
      tables
        .filter((table) => scalesOfTable(table).includes(scale))
        .flatMap((table) =>
          tableBases(table, scale).map((base) => ({ table, base, name: `table-${table}-${base.name}` })),
        ),
    )
    .filter(({ table, base }) => paperTableRows(table, base, records).some(({ records: ours }) => ours.length > 0));
}

/** The tables of figures/. */
export function reportTables({ records, searched = [], again = [], wider = [] }: ReportSources): ReportTable[] {
  const modes = failureScales
    .filter((scale) => scale !== 'smoke')
    .map((scale) =>
      listedTable(
        `failure-modes-${scale}`,
        `How these models fail, at ${scale} scale`,
        failureModesTable(records, scale),
        failureModeNotes(records, scale),
      ),
    );
  const ratings = scales.map((scale) =>
    listedTable(
      `solved-by-rating-${scale}`,
      `Puzzles solved, by difficulty, at ${scale} scale`,
      ratingsTable(records.filter(({ experiment }) => experiment.scale === scale)),
      [
        'A rating is the number of guesses that a backtracking solver made; a puzzle of rating 0 needs only logic. ' +
          'Scores are after the last supervision step, with EMA weights where a run averages them.',
      ],
    ),
  );
  const tries = listedTable(
    'tries-on-validation-puzzles',
    'How configurations were chosen',
    searchTable(searched),
    [
      'Every recorded trial of settings, the best first. A trial is scored only on the validation puzzles of its own ' +
        'task. On ARC, its score counts the tasks solved in two tries of the vote. No test puzzle was used.',
    ],
    'data/search',
  );
  const precisions = listedTable(
    'bfloat16-versus-float32',
    'The same experiment and seeds in both precisions',
    precisionTable(records, again),
    [
      'The same experiment and seeds in both precisions, each precision on one kind of machine. ' +
        'p is from a two-sided paired t-test over seeds.',
    ],
    'data/precision',
  );
  const others = [...modes, ...ratings, tries, precisions].filter(({ records: own }) => own.length > 0);
  const studied = wider.map((study) => ({
    name: widerName(study),
    shows: 'Search at test time: what more passes solve, and how often the halting head is right',
    folder: 'data/wider',
    records: [study.id],
    markdown: widerText(study),
    csv: toCsv(widerTable(study)),
  }));
  const published = extremeRuns(records).length === 0 ? [] : [publishedList()];
  return [...paperTables(records), ...others, ...studied, ...published];
}

/** The published points in the figure of accuracy against FLOP. */
function publishedList(): ReportTable {
  const table = publishedTable();
  return {
    name: 'published-on-sudoku-extreme',
    shows: 'What others published on Sudoku-Extreme, with sources',
    folder: 'data/published',
    records: ['sudoku-extreme'],
    markdown:
      `${toMarkdown(table)}\n\nSingle pass, 1,000 training puzzles. All numbers are by others, none from this kit. ` +
      'FLOP are computed from the published configuration as for our own runs: a multiply-add counts as 2, and a ' +
      'backward call as two forward calls.',
    csv: toCsv(table),
  };
}

/** The name of the files of a study of thinking wider. */
function widerName({ checkpoint }: WiderRecord): string {
  return `thinking-wider-${path.basename(checkpoint.name, '.safetensors')}`;
}

/** A study of thinking wider in words and tables. */
function widerText(study: WiderRecord): string {
  const { plan, checkpoint, passes, seconds, sittings } = study;
  const { engine, cpu, threads } = sittings.at(-1)!;
  const [first, last] = [plan.testFrom + 1, plan.testFrom + plan.testPuzzles].map((row) => row.toLocaleString('en'));
  return [
    `Model ${checkpoint.name} (SHA-256 ${checkpoint.sha256.slice(0, 8)}…), test rows ${first} to ${last} of ` +
      `Sudoku-Extreme, ${plan.formSteps} passes per form. ` +
      `${Math.round(passes).toLocaleString('en')} passes took ${duration(seconds)} ` +
      'on a machine that also did other work ' +
      `(${engine}, ${cpu}, ${threads ?? 'all'} ${threads === 1 ? 'thread' : 'threads'}). Made by \`${study.command}\`.`,
    toMarkdown(widerTable(study)),
    `This is search at test time, not comparable with a single pass. The intervals show the sampling error of ` +
      `${plan.testPuzzles.toLocaleString('en')} ` +
      'puzzles. Votes count whole boards; a tie goes to the surer board. The noise has a standard ' +
      `deviation of ${plan.noise}. ` +
      `The stopping threshold was chosen on ${plan.validationPuzzles} validation puzzles:`,
    toMarkdown(thresholdTable(study)),
  ].join('\n\n');
}

/** The point with the most passes of each way to think wider, the picture, and a link to all settings. */
function widerInBrief(study: WiderRecord): string {
  const { columns, rows } = widerTable(study);
  const file = `../figures/${widerName(study)}`;
  return [
    `Scores on ${plural(study.plan.testPuzzles, 'test puzzle')}, with the most passes that each way was given:`,
    toMarkdown({ columns, rows: rows.filter(([way], at) => rows[at + 1]?.[0] !== way) }),
    `[The full table](${file}.md) adds fewer passes, how the threshold was chosen, and the command.`,
    `![Search at test time](${file}.png)`,
  ].join('\n\n');
}

/** A table whose last column names the runs of each row. */
function listedTable(
  name: string,
  shows: string,
  table: Table,
  notes: readonly string[],
  folder = 'data/runs',
): ReportTable {
  const runs = new Set(table.rows.flatMap((row) => (row.at(-1) ?? '').split(' ')).filter((id) => id !== ''));
  return { name, shows, folder, records: [...runs], ...tableTexts(table, notes) };
}

function paperTables(records: readonly RunRecord[]): ReportTable[] {
  return studies(records).map(({ table, base, name }) => ({
    name,
    shows: `Table ${table} on ${base.name}`,
    folder: 'data/runs',
    records: idsOf(paperTableRows(table, base, records).flatMap(everyRun)),
    markdown: paperTable(table, base, records),
    csv: paperTableCsv(table, base, records),
  }));
}

/** The figures of figures/, without those that no record contributes to. */
export function reportFigures({ records, again = [], wider = [], benches = [] }: ReportSources): ReportFigure[] {
  const plain = plainRuns(records);
  const extreme = extremeRuns(records);
  const desk = extreme.filter(({ experiment }) => experiment.scale === 'desk');
  return [
    listedFigure(
      'accuracy-versus-cycles',
      rowsVersusCycles(puzzleRows(plain), { note: 'times are training times' }),
      plain,
    ),
    ...precisionPairs(records, again).map(({ name, bf16, float32 }) => {
      const rows = [
        { row: { label: 'bfloat16' }, records: bf16 },
        { row: { label: 'float32' }, records: float32 },
      ];
      const figure = learningCurves(rows, { title: 'Does bfloat16 learn as well as float32?' });
      return listedFigure(`bfloat16-versus-float32-${name}`, figure, float32, 'data/precision');
    }),
    ...studies(records).flatMap((study) => studyFigures(study, records)),
    ...failureScales.flatMap((scale) => overfittingFigures(scale, records)),
    ...(desk.length === 0 ? [] : [listedFigure('accuracy-versus-core-hours', accuracyVersusCoreHours(records), desk)]),
    ...(extreme.length === 0 ? [] : [listedFigure('accuracy-versus-flop', accuracyVersusFlop(records), extreme)]),
    ...wider.map((study) => ({
      ...listedFigure(widerName(study), widerFigure(study), [], 'data/wider'),
      records: [study.id],
    })),
    ...benches.map((bench) => ({
      ...listedFigure(`bench-${bench.level}`, benchFigure(bench), []),
      folder: 'bench/results',
      records: [bench.level],
    })),
  ];
}

/** Two networks on their training puzzles and on new ones, during training. */
function overfittingFigures(scale: string, records: readonly RunRecord[]): ReportFigure[] {
  const rows = overfittingRows(records, scale);
  const ours = rows.flatMap(({ records: own }) => own);
  if (ours.length === 0) return [];
  const subtitle = studyCaption(rows, 'shaded from the worst to the best seed', ({ evaluations }) => evaluations);
  // One run makes two curves here, and one figure takes each run once.
  const curves = rows.map(({ row, records: own }) => ({
    row,
    records: own.map((record) => ({ ...record, id: `${record.id}, ${row.label}` })),
  }));
  const figure = learningCurves(curves, {
    title: 'Two or four layers, trained on few puzzles',
    subtitle,
    of: 'Puzzles solved',
  });
  return [listedFigure(`over-fitting-${scale}`, figure, ours)];
}

/** Fewest puzzles that resolve cycle 16 from cycle 64; with sixty, chance alone makes seven points. */
const fewestToCompare = 400;

/** The figures of one of the paper's tables; for Table 1, also the cost of its rows and how they learned. */
function studyFigures({ table, base, name }: Study, records: readonly RunRecord[]): ReportFigure[] {
  const rows = paperTableRows(table, base, records);
  const ours = rows.flatMap(({ records: own }) => own);
  const seeds = comparedRows(table, base, records);
  const mixed = seeds.some(({ noMean }) => noMean === true) ? '; no mean where some seeds did not learn' : '';
  const compared = paperVersusOurs(seeds, {
    subtitle: `ours: ${studyCaption(rows)}${mixed}; the paper’s: ${paperData(base)}, full-size models`,
    ...(base.task.kind === 'arc' ? { of: 'Test tasks solved in two tries' } : {}),
    title: `Table ${table}, ours and the paper’s`,
  });
  const figures: [string, Figure][] = [[name, compared]];
  if (table === 3) figures.push([`accuracy-versus-depth-${base.name}`, accuracyVersusDepth(rows)]);
  if (table === 1) {
    figures.push(
      [`accuracy-versus-cost-${base.name}`, costVersusAccuracy(rows)],
      [`learning-curves-${base.name}`, learningCurves(rows)],
      [`halting-over-training-${base.name}`, haltingOverTraining(rows)],
    );
    if (ours.some((record) => closingEvaluation(record, 'training')))
      figures.push([`training-versus-test-${base.name}`, trainingVersusTest(rows)]);
    if (ours.some((record) => (closingEvaluation(record, 'longer')?.puzzles ?? 0) >= fewestToCompare))
      figures.push([`thinking-longer-${base.name}`, longerThinking(rows)]);
  }
  return figures.map(([own, figure]) => {
    const listed = listedFigure(own, figure, ours);
    return { ...listed, shows: `${listed.shows} (${base.name})` };
  });
}

function listedFigure(name: string, figure: Figure, records: readonly RunRecord[], folder = 'data/runs'): ReportFigure {
  return { name, shows: titleOf(figure), folder, records: idsOf(records), figure };
}

/** The first line of a figure's title, which is in bold. */
function titleOf({ layout }: Figure): string {
  return /<b>(.*?)<\/b>/.exec((layout['title'] as { readonly text: string }).text)?.[1] ?? '';
}

/** All runs of a row: at its own learning rate and budget, at its base's rate, and at equal cost. */
function everyRun({ records, atBaseRate, atEqualCost = [] }: PaperTableRow): RunRecord[] {
  return [...records, ...atBaseRate, ...atEqualCost];
}

function idsOf(records: readonly RunRecord[]): string[] {
  return [...new Set(records.map(({ id }) => id))];
}

/** The generated texts, [path in the project, content]: everything but pictures. */
export function reportTexts(sources: ReportSources): [string, string][] {
  return textsOf(sources).map(([file, text]) => [file, file.endsWith('.md') ? wrappedMarkdown(text) : text]);
}

/** Breaks Markdown lines of more than 120 characters, except tables and pictures; a command stays one command. */
function wrappedMarkdown(markdown: string): string {
  const commands = markdown.replaceAll(/^```\n[^]*?^```$/gm, (block) => wrapped(block, 118, ' \\\n  '));
  const lines = commands.split('\n').map((line) => (/^[|!`<]/.test(line) ? line : wrapped(line, 120)));
  return lines.join('\n');
}

function keptTogetherIn(reports: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(reports).map(([name, report]) => [name, keptTogether(report)]));
}

function textsOf(sources: ReportSources): [string, string][] {
  const shown = reportTables(sources);
  const marked = Object.entries(markedReports(sources)).map(([file, reports]): [string, string] => [
    file,
    withReports(file, readFileSync(path.join(projectRoot(), file), 'utf8'), keptTogetherIn(reports)),
  ]);
  return [
    ...marked,
    ...shown.flatMap(({ name, markdown, csv }): [string, string][] => [
      [`figures/${name}.md`, `${keptTogether(markdown)}\n`],
      [`figures/${name}.csv`, csv],
    ]),
    ['figures/README.md', figureIndex(reportFigures(sources), shown)],
    ['data/runs/README.md', recordIndex('data/runs', sources.records)],
    ['data/search/README.md', recordIndex('data/search', sources.searched ?? [])],
  ];
}

/**
 * Writes every generated file. A picture whose figure has not changed stays as it is, since its pixels depend on the
 * machine's fonts.
 * @returns paths in the project
 */
export async function writeReports(sources: ReportSources): Promise<string[]> {
  const files: [string, string | Uint8Array][] = reportTexts(sources);
  for (const { name, figure } of reportFigures(sources)) {
    const picture = path.join(projectRoot(), 'figures', `${name}.png`);
    const drawn = existsSync(picture) ? await fingerprintIn(readFileSync(picture)) : undefined;
    if (drawn !== fingerprintOf(figure)) files.push([`figures/${name}.png`, await pictureOf(figure)]);
  }
  for (const [file, content] of files) writeFileAtomic(path.join(projectRoot(), file), content);
  return files.map(([file]) => file);
}

/** The reports between markers, by file and name. */
function markedReports({ records, wider = [], benches = [] }: ReportSources): Record<string, Record<string, string>> {
  const plain = plainRuns(records);
  const isDesk = ({ experiment }: RunRecord): boolean => experiment.scale === 'desk';
  const ofTable = (table: PaperTable): string =>
    studies(records)
      .filter((study) => study.table === table)
      .map((study) => studyText(study, records))
      .join('\n\n');
  return {
    'README.md': { headline: headline(records), best: bestTable(records) },
    'docs/results.md': {
      results: resultsTable(plain.filter((record) => !isDesk(record))),
      desk: resultsTable(extremeRuns(records).filter(isDesk)),
      legend: legend.orderings,
      ...Object.fromEntries(tables.map((table) => [`table-${table}`, ofTable(table)])),
      wider: wider.map(widerInBrief).join('\n\n') || 'Not run yet.',
      bench: benchSummary(benches),
    },
  };
}

/** One of the paper's tables on one base: what it cost and what came of it in a line, the table in brief, pictures. */
function studyText(study: Study, records: readonly RunRecord[]): string {
  const { table, base } = study;
  const rows = paperTableRows(table, base, records);
  const runs = new Map(rows.flatMap(everyRun).map((record) => [record.id, record]));
  const ours = [...runs.values()];
  const [training, scoring] = (['training', 'evaluation'] as const).map((part) =>
    ours.reduce((sum, { seconds }) => sum + seconds[part], 0),
  ) as [number, number];
  const hours = ours.reduce((sum, record) => sum + coreHours(record, 'all'), 0);
  const judged = orderings(rows).map(({ verdict }) => verdict);
  const verdicts = [...new Set(judged)].map(
    (verdict) => `${judged.filter((each) => each === verdict).length} ${verdict}`,
  );
  const [first, ...others] = studyFigures(study, records);
  const links = others.map(({ name, figure }) => `[${titleOf(figure)}](../figures/${name}.png)`);
  return [
    `### Table ${table} on ${base.name}`,
    `${plural(ours.length, 'run')}, ${hours.toFixed(1)} core-hours: ${duration(training)} of training and ` +
      `${duration(scoring)} of scoring. The paper’s orderings: ${verdicts.join(', ')}.`,
    paperTableInBrief(table, base, records),
    `[The full table](../figures/${study.name}.md) adds p, cell accuracy, halting heads, costs, the scores of the ` +
      'weights as trained, and the commands that make its runs.',
    `![${first?.shows ?? ''}](../figures/${first?.name ?? ''}.png)`,
    ...(links.length === 0 ? [] : [`More figures: ${links.join(', ')}.`]),
  ].join('\n\n');
}

/** Replaces the reports between their markers in a text. Throws InputError if a marker is missing. */
export function withReports(file: string, text: string, reports: Readonly<Record<string, string>>): string {
  return Object.entries(reports).reduce((sofar, [name, report]) => {
    const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
    const [from, to] = [sofar.indexOf(begin), sofar.indexOf(end)];
    if (from < 0 || to < from)
      throw new InputError(
        `${file}: expected the lines ${begin} and ${end}, ` +
          `got ${from < 0 ? 'no first one' : 'no second one after it'}; put them where the report belongs`,
      );
    return `${sofar.slice(0, from + begin.length)}\n${report}\n${sofar.slice(to)}`;
  }, text);
}
