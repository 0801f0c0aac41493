/**
 * Rewrites records of schema trm-lab/run/1 as schema 2, in place: node scripts/data/migrate-records.mjs FOLDER...
 * Numbers, curves and machines stay as they are. Special cases become closing evaluations, pieces of names become
 * fields, ids and seals are made anew. Prints "old id → new id" for each.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { hashOf, recordSchema, writeRecord } from '../../dist/experiment/record.js';
import { experiments } from '../../dist/experiment/experiments.js';
import { loadTask } from '../../dist/experiment/task.js';

const bands = {
  'rating 0': ['rating-0', [0, 1]],
  'rating 1-9': ['rating-1-9', [1, 10]],
  'rating 10-49': ['rating-10-49', [10, 50]],
  'rating 50 and more': ['rating-50-and-more', [50, null]],
};
const loaded = new Map();

for (const folder of process.argv.slice(2)) {
  for (const name of readdirSync(folder).filter((each) => each.endsWith('.json'))) {
    const file = path.join(folder, name);
    const { checksum, ...old } = JSON.parse(readFileSync(file, 'utf8'));
    if (old.schema !== 'trm-lab/run/1') continue;
    if (hashOf(old) !== checksum) throw new Error(`${name}: its seal does not hold`);
    const data = await dataOf(old.experiment.task);
    const oldId = idOf(old.experiment, old.experiment.name, old.seed, data);
    if (oldId !== old.id) throw new Error(`${name}: expected ${oldId}; its data are not those at hand`);
    const experiment = experimentOf(old.experiment);
    const id = idOf(experiment, experiment.name, old.seed, data);
    const record = recordOf({ ...old, id, experiment });
    const target = path.join(folder, `${id}.json`);
    writeRecord(target, record);
    if (target !== file) rmSync(file);
    console.log(`${old.id} → ${id}`);
  }
}

function dataOf(task) {
  const key = JSON.stringify(task);
  if (!loaded.has(key)) loaded.set(key, loadTask(task));
  return loaded.get(key);
}

function idOf({ task, model, training, evaluation }, name, seed, { train, test }) {
  const hash = hashOf({ task, model, training, evaluation, train: train.sha256, test: test.sha256 });
  return `${name}-seed${seed}-${hash.slice(0, 8)}`;
}

/** What an experiment is stands in fields: the named one it comes from, and the failure mode it is there for. */
function experimentOf(old) {
  const base = Object.keys(experiments)
    .filter((each) => old.name === each || old.name.startsWith(`${each}-`))
    .sort((a, b) => b.length - a.length)[0];
  if (base === undefined) throw new Error(`${old.name}: no experiment has a name that this one begins with`);
  const { name, about, scale, variant, task, model, training, evaluation, ...rest } = old;
  if (Object.keys(rest).length > 0) throw new Error(`${name}: unknown fields ${Object.keys(rest)}`);
  const failure = /-failure-(.+)$/.exec(name)?.[1] ?? null;
  const failureMode = failure === 'plain' ? 'one-blank' : failure;
  const searched = evaluation.split === 'validation';
  const newName = failureMode !== null ? `${base}-${failureMode}` : searched ? `${base}-search` : name;
  const { split, every, puzzles, finalPuzzles } = evaluation;
  const plan = { split, every, puzzles, finalPuzzles, closing: closingOf(evaluation, task) };
  return { name: newName, about, scale, base, variant, failureMode, task, model, training, evaluation: plan };
}

function closingOf({ trainingPuzzles = 0, longer, votingVersions, otherIds, probes, finalPuzzles }, { kind }) {
  const list = [];
  if (kind === 'arc') list.push({ name: 'vote', on: 'scored', puzzles: 0, votes: votingVersions ?? 0 });
  if (trainingPuzzles > 0) list.push({ name: 'training', on: 'training', puzzles: trainingPuzzles });
  if (longer?.puzzles > 0) list.push({ name: 'longer', on: 'scored', ...longer });
  for (const puzzleIds of otherIds === true ? ['blank', 'shuffled'] : []) {
    list.push({ name: `scored-${puzzleIds}-ids`, on: 'scored', puzzles: finalPuzzles, puzzleIds });
    if (trainingPuzzles > 0)
      list.push({ name: `training-${puzzleIds}-ids`, on: 'training', puzzles: trainingPuzzles, puzzleIds });
  }
  for (const probe of probes?.kinds ?? []) {
    if (probe === 'one-blank') list.push({ name: 'one-blank', on: 'one-blank', puzzles: probes.puzzles });
    else
      for (const [name, ratings] of Object.values(bands))
        list.push({ name, on: 'scored', puzzles: probes.puzzles, ratings });
  }
  return list;
}

function recordOf({ provenance, evaluations, onTraining, longer, otherIds = {}, probes = {}, checksum, ...old }) {
  const closing = {};
  const { arc, ...last } = evaluations.at(-1);
  if (arc !== undefined) closing.vote = arc;
  if (onTraining !== undefined) closing.training = onTraining;
  if (longer !== undefined) closing.longer = longer;
  for (const [mode, { scored, training }] of Object.entries(otherIds)) {
    closing[`scored-${mode}-ids`] = scored;
    if (training !== undefined) closing[`training-${mode}-ids`] = training;
  }
  for (const [name, evaluation] of Object.entries(probes)) closing[bands[name]?.[0] ?? name] = evaluation;
  const threads = Number(/(\d+) threads?/.exec(provenance.engine)?.[1]) || null;
  const engine = provenance.engine.replace(/ \d+ threads?$/, '');
  const { version, commit, node, platform, cpu, cores, precision, finishedAt } = provenance;
  const made = { version, commit, node, platform, cpu, cores, engine, threads, precision, finishedAt };
  const { schema, id, experiment, seed, data, model, steps, seconds, peakMemory, curve, ...rest } = old;
  if (Object.keys(rest).length > 0) throw new Error(`${id}: unknown fields ${Object.keys(rest)}`);
  return {
    schema: recordSchema,
    id,
    experiment,
    seed,
    data,
    model,
    sittings: [{ from: 0, to: steps, ...made }],
    steps,
    seconds,
    peakMemory,
    curve,
    evaluations: [...evaluations.slice(0, -1), last],
    closing,
  };
}
