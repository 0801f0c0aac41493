/** Our best results beside the paper's: for every kind of puzzle the model that solves the most. */
import path from 'node:path';
import { ownNote } from '../experiment/own-block.js';
import { lastSitting, quotedAccuracy, quotedPuzzles, type RunRecord } from '../experiment/record.js';
import { experiments } from '../experiment/experiments.js';
import { experimentLabel, ownRate } from '../experiment/rows.js';
import type { ArcTaskOptions, Task } from '../experiment/task.js';
import { rowsOfTable } from '../experiment/variants.js';
import { duration } from '../progress.js';
import {
  groupedBySeed,
  isPaperModel,
  type labelledRuns,
  meanAndSpread,
  percentText,
  rowsNamed,
  toMarkdown,
} from './tables.js';
import { spreadOf } from './statistics.js';

/** The paper's benchmarks, and the accuracy of its best own model on each, 0 … 1. */
const benchmarks: readonly { readonly name: string; readonly paper: number }[] = [
  { name: 'Sudoku-Extreme, 9×9', paper: bestOfPaper(4, 'sudoku') },
  { name: 'Maze-Hard, 30×30', paper: bestOfPaper(4, 'maze') },
  { name: 'ARC-AGI-1, two tries', paper: bestOfPaper(5, 'arc1') },
  { name: 'ARC-AGI-2, two tries', paper: bestOfPaper(5, 'arc2') },
];

/** One kind of puzzle: what the paper reports, and our runs of the configuration that solves the most, one a seed. */
export interface BestResult {
  readonly puzzles: string;
  readonly paper: number | null;
  readonly ours: readonly RunRecord[];
}

/** The paper's benchmarks first, run or not, then every other kind of puzzle that was scored on its test set. */
export function bestResults(records: readonly RunRecord[]): BestResult[] {
  const scored = records.filter(
    ({ experiment }) => experiment.evaluation.split === 'test' && experiment.scale !== 'smoke',
  );
  const best = new Map<string, readonly RunRecord[]>(benchmarks.map(({ name }) => [name, []]));
  for (const group of groupedBySeed(scored)) {
    const name = puzzlesOf(group[0].experiment.task);
    if (name === undefined) continue;
    const sofar = best.get(name) ?? [];
    if (sofar.length === 0 || accuracy(group) > accuracy(sofar)) best.set(name, group);
  }
  return [...best].map(([puzzles, ours]) => ({
    puzzles,
    paper: benchmarks.find(({ name }) => name === puzzles)?.paper ?? null,
    ours,
  }));
}

/** The best results as Markdown, with the sentence that says how to read them. */
export function bestTable(records: readonly RunRecord[]): string {
  const results = bestResults(records);
  const columns = ['puzzles', 'paper', 'ours', 'model', 'parameters', 'training, one run', 'seeds', 'scored'];
  const rows = results.map(({ puzzles, paper, ours }) => {
    const [first] = ours;
    return [
      puzzles,
      percentText(paper ?? undefined),
      meanAndSpread(ours.map(quotedAccuracy)),
      ...(first === undefined
        ? Array<string>(5).fill('')
        : [
            modelLabel(first),
            first.model.parameters.toLocaleString('en'),
            trainingTime(ours),
            String(ours.length),
            quotedPuzzles(first).toLocaleString('en'),
          ]),
    ];
  });
  return [
    toMarkdown({ columns, rows }),
    'Each row is the best of our training runs on such puzzles, so its number is slightly too high. ' +
      'Solved means every cell right. ± is the standard deviation over seeds. ' +
      'A dash: the paper has none. 4×4 shows learning, not generalisation.',
  ].join('\n\n');
}

/** The best result on the paper's first benchmark as sentences. */
export function headline(records: readonly RunRecord[]): string {
  const [result] = bestResults(records);
  const [first] = result?.ours ?? [];
  if (result === undefined || first === undefined) return 'No model was trained on Sudoku-Extreme yet.';
  return [
    `Our best model for Sudoku-Extreme has ${first.model.parameters.toLocaleString('en')} parameters.`,
    `Its training took ${trainingTime(result.ours)} (${lastSitting(first).engine}).`,
    `It solves ${meanAndSpread(result.ours.map(quotedAccuracy))} of`,
    `${quotedPuzzles(first).toLocaleString('en')} test puzzles;`,
    `the paper’s model solves ${percentText(result.paper ?? undefined)}.`,
  ].join(' ');
}

/** What a task's puzzles are called; undefined for a folder, which may hold anything. */
function puzzlesOf(task: Task): string | undefined {
  if (task.kind === 'folder') return undefined;
  if (task.kind === 'arc') {
    const { canvas, maxTasks = 0, validationTasks = 0, testSubset = 'evaluation' } = task;
    const all = canvas === 30 && maxTasks === 0 && validationTasks === 0 && testSubset === 'evaluation';
    const part = testSubset === 'evaluation' ? '' : ` ${testSubset}`;
    return `${arcName(task)}${all ? '' : `${part} tasks within ${task.canvas}×${task.canvas}`}, two tries`;
  }
  const side = `${task.side}×${task.side}`;
  if (task.kind === 'maze')
    return task.source === 'maze-hard' ? 'Maze-Hard, 30×30' : `mazes, ${side}, ${task.leastDistance}+ steps`;
  if (task.source === 'sudoku-extreme') return `Sudoku-Extreme, ${side}`;
  const source = { generated: '', 'public-domain': ', public domain', file: ` of ${fileName(task)}` }[task.source];
  return `Sudoku, ${side}${source}${task.minDifficulty > 0 ? `, ${task.minDifficulty} or more guesses` : ''}`;
}

/** The name of a set of ARC tasks: the paper's, or that of its file. */
export function arcName(task: ArcTaskOptions): string {
  return task.set === 'file' ? `ARC of ${fileName(task)}` : `ARC-AGI-${task.set === 'arc1' ? 1 : 2}`;
}

function fileName({ file = '' }: { readonly file?: string }): string {
  return path.basename(file);
}

/** A row for each experiment, named by its puzzles. */
export function puzzleRows(records: readonly RunRecord[]): ReturnType<typeof labelledRuns> {
  return rowsNamed(
    records,
    ({ experiment }) => puzzlesOf(experiment.task) ?? experiment.name,
    (runs) => `, ${trainingTime(runs)}`,
  );
}

/** A row for each experiment on Sudoku-Extreme, named by its model in the paper's words. */
export function modelRows(records: readonly RunRecord[]): ReturnType<typeof labelledRuns> {
  return rowsNamed(records, modelLabel, ([{ experiment }]) => {
    const rate = ownRate(experiment);
    return `, ${rate === undefined ? experiment.base.replace('sudoku-extreme-', '') : `rate ${rate}`}`;
  });
}

/**
 * A record's model by its name in the paper, completed to stand alone ("TRM w/ ACT"), else by its experiment. Names the
 * number of steps if it is not the base's, as at equal cost.
 */
function modelLabel(run: RunRecord): string {
  const { experiment } = run;
  const unnamed = isPaperModel(run) ? (experiment.model.mixer === 'mlp' ? 'trm' : 'trm-attention') : null;
  const label = experimentLabel({ ...experiment, variant: experiment.variant ?? unnamed });
  const { steps } = experiment.training;
  const usual = experiments[experiment.base]?.training.steps ?? steps;
  const length = steps === usual ? '' : `, ${steps.toLocaleString('en')} steps`;
  return `${label.replace(/^(?=w\/|no )/, 'TRM ')}${length}${ownNote(run)}`;
}

function bestOfPaper(table: 4 | 5, column: 'sudoku' | 'maze' | 'arc1' | 'arc2'): number {
  return Number((Math.max(...rowsOfTable(table).map(({ row }) => row[column] ?? 0)) / 100).toFixed(3));
}

function accuracy(runs: readonly RunRecord[]): number {
  return spreadOf(runs.map(quotedAccuracy)).mean;
}

function trainingTime(runs: readonly RunRecord[]): string {
  return duration(spreadOf(runs.map(({ seconds }) => seconds.training)).mean);
}
