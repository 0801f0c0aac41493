/** Where a table's numbers come from: seeds, commits, engines and machines of its runs, and the commands for them. */
import type { Experiment } from '../experiment/experiment.js';
import type { RunRecord } from '../experiment/record.js';
import type { PaperRow } from '../experiment/variants.js';

import type { PaperTableRow } from './paper-rows.js';
import { markdownText } from './escape.js';

/** One sentence about the runs of a table, and below it the commands that make these runs. */
export function provenanceText(table: PaperRow['table'], base: Experiment, rows: readonly PaperTableRow[]): string {
  const atEqualCost = rows.flatMap(({ atEqualCost: runs = [] }) => runs);
  const runs = [...rows.flatMap(({ records, atBaseRate }) => [...records, ...atBaseRate]), ...atEqualCost];
  if (runs.length === 0) return '';
  const scale = base.scale === 'laptop' ? '' : ` --scale ${base.scale}`;
  const made = rows.filter(({ records }) => records.length > 0).map(({ variant }) => variant);
  const only = made.length === rows.length ? '' : ` --only ${made.join(',')}`;
  const command = (some: readonly RunRecord[], rest: string): string =>
    `npm run trm -- ablate --table ${table}${scale} --base ${base.name}${rest} ` +
    `--seeds ${1 + Math.max(...some.map(({ seed }) => seed))}`;
  return [
    `Made from ${seedsText(runs)} ${machinesText(runs)}, by:`,
    [
      '```',
      ...(made.length === 0 ? [] : [command(runs, only)]),
      ...(atEqualCost.length === 0 ? [] : [command(atEqualCost, ' --equal-cost')]),
      '```',
    ].join('\n'),
  ].join('\n\n');
}

/** "seeds 0 to 9", or "seeds 0, 2" where one between is missing. */
function seedsText(runs: readonly RunRecord[]): string {
  const seeds = distinct(runs.map(({ seed }) => seed)).sort((a, b) => a - b);
  const [first = 0, last = 0] = [seeds[0], seeds.at(-1)];
  if (seeds.length === 1) return `seed ${first}`;
  return `seeds ${last - first === seeds.length - 1 ? `${first} to ${last}` : seeds.join(', ')}`;
}

/** "at commits 3e7342f, 1bbb983 with native avx512bf16, bf16, 1 thread, AMD EPYC". */
function machinesText(runs: readonly RunRecord[]): string {
  const sittings = runs.flatMap((record) => record.sittings);
  const commits = distinct(
    sittings.map(({ commit }) => (commit === null ? 'unknown' : commit.replace(/^(\w{7})\w*/, '$1'))),
  );
  const machines = distinct(
    sittings.map(
      ({ engine, precision, threads, cpu }) =>
        `${engine}, ${precision}, ${threads ?? 'all'} ${threads === 1 ? 'thread' : 'threads'}, ${cpu}`,
    ),
  );
  return (
    `at ${commits.length === 1 ? 'commit' : 'commits'} ${commits.map(markdownText).join(', ')} ` +
    `with ${machines.map(markdownText).join('; ')}`
  );
}

function distinct<Value>(values: readonly Value[]): Value[] {
  return [...new Set(values)];
}
