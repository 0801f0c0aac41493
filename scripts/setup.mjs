/**
 * Sets the project up, doing only what is missing: node scripts/setup.mjs [--quiet | --again | --check] STEP...
 * Steps: build, tests, tfjs, native, lab, torch. A step that can fall back (tfjs, native, lab) never fails: it prints
 * what is lost.
 * --quiet prints nothing about ready steps, --again also repeats steps that fell back, --check only reports (exit code
 * 1: not all ready).
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build, tests } from './setup/build.mjs';
import { lab } from './setup/lab.mjs';
import { native } from './setup/native.mjs';
import { root, say, sayUnlessQuiet, seconds, setQuiet } from './setup/shell.mjs';
import { alone, readStamp, writeStamp } from './setup/stamps.mjs';
import { tfjs } from './setup/tfjs.mjs';
import { torch } from './setup/torch.mjs';

const steps = new Map([build, tests, tfjs, native, lab, torch].map((step) => [step.name, step]));

/**
 * Brings the named steps up to date, in the given order.
 * @param {string[]} names
 * @param {{again?: boolean}} [options] again: also repeat steps that fell back last time
 * @returns {Promise<boolean>} whether every step is ready (none fell back)
 */
export async function setUp(names, { again = false } = {}) {
  const wanted = stepsNamed(names);
  const lacking = lackingPackage();
  if (lacking !== undefined) throw new Error(lacking);
  const missing = wanted.filter((step) => stateOf(step, again) === undefined);
  // Stamps are read again inside the lock, since its previous holder may have done the work.
  if (missing.length > 0)
    await alone(async () => {
      for (const step of missing) if (stateOf(step, again) === undefined) await perform(step);
    });
  for (const step of wanted) if (!missing.includes(step)) sayUnlessQuiet(describe(step));
  return wanted.every(isReady);
}

/**
 * What is wrong with the required packages: they are missing, npm ci was interrupted, or package.json has changed
 * since; undefined if nothing.
 * @param {string} [project] the folder of package.json
 */
export function lackingPackage(project = root) {
  const read = (...names) => JSON.parse(readFileSync(path.join(project, ...names, 'package.json'), 'utf8'));
  if (!existsSync(path.join(project, 'node_modules', 'typescript', 'package.json')))
    return 'the packages are not installed; first run: npm ci';
  const installed = (name) => {
    if (!existsSync(path.join(project, 'node_modules', name, 'package.json'))) return 'none';
    try {
      return read('node_modules', name).version;
    } catch (error) {
      if (error instanceof SyntaxError) return 'none that is complete'; // cut off in the middle of the file
      throw error;
    }
  };
  for (const [name, wanted] of Object.entries(read().dependencies)) {
    const got = installed(name);
    const fits = /^\d/.test(wanted) ? got === wanted : !got.startsWith('none'); // npm checks ranges
    if (!fits) return `package ${name}: expected version ${wanted}, got ${got}; run: npm ci`;
  }
  return undefined;
}

function stepsNamed(names) {
  return names.map((name) => {
    const step = steps.get(name);
    if (step === undefined) throw new Error(`expected set-up steps from ${[...steps.keys()].join(', ')}, got ${name}`);
    return step;
  });
}

function isReady(step) {
  return stateOf(step, false)?.outcome === 'ready';
}

function describe(step) {
  return (
    `set-up ${step.name.padEnd(6)} ` +
    `${isReady(step) ? 'ready' : (stateOf(step, false)?.note ?? 'not done or out of date')}`
  );
}

/** The stamp of a step if it is current, else undefined. */
function stateOf(step, again) {
  const stamp = readStamp(step.stamp);
  if (stamp === undefined || (again && stamp.outcome !== 'ready')) return undefined;
  return stamp.fingerprint === step.fingerprint() && step.isPresent(stamp) ? stamp : undefined;
}

async function perform(step) {
  say(`set-up ${step.name.padEnd(6)} ${step.title} (${step.duration})`);
  const started = Date.now();
  const fingerprint = step.fingerprint(); // before the work: a source edited meanwhile makes it out of date
  const { outcome, note } = await step.work();
  writeStamp(step.stamp, { fingerprint, outcome, note });
  say(`set-up ${step.name.padEnd(6)} ${outcome === 'ready' ? `done in ${seconds(started)}` : note}`);
}

async function main() {
  const { values: options, positionals: names } = parseArgs({
    allowPositionals: true,
    options: { quiet: { type: 'boolean' }, again: { type: 'boolean' }, check: { type: 'boolean' } },
  });
  setQuiet(options.quiet === true);
  if (options.check) {
    const wanted = stepsNamed(names.length > 0 ? names : [...steps.keys()]);
    for (const step of wanted) say(describe(step));
    process.exitCode = wanted.every(isReady) ? 0 : 1;
  } else {
    await setUp(names, { again: options.again === true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    console.error(`set-up failed: ${error.message}`);
    process.exitCode = 1;
  });
}
