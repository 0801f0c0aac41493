/** trm-lab evaluate: scores a checkpoint on puzzles, after every supervision step. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { isArcDataset, type ArcDataset } from '../data/arc-sets.js';
import type { Dataset } from '../data/dataset.js';
import type { Engine } from '../engine/engine.js';
import { openModel, randomModel, type OpenModel } from '../experiment/open.js';
import { formsOf, kindOfSet } from '../data/forms.js';
import { Random } from '../random.js';
import { evaluate, type EvaluateOptions, type Evaluation } from '../train/evaluate.js';
import type { ArcVoteOptions, ArcVoteResult } from '../train/evaluate-arc.js';
import { Keeping } from '../train/kept.js';
import { evaluateUntilSure, type UntilSure } from '../train/until-sure.js';
import { assumedLine, loadOptions, refuseIdle, usedInAnswers, weightsOption } from './checkpoint-options.js';
import {
  anyNumber,
  choice,
  flag,
  numberOf,
  seedOf,
  seedOption,
  text,
  unreadWhere,
  type Arguments,
  type Command,
  type Out,
} from './command.js';
import { engineOptions, readEngineOptions } from './engine-options.js';
import { voteAndReport } from './evaluate-arc.js';
import { dataToScore, type ChosenData } from './evaluate-task.js';
import { checkIds, trainedOn, type TrainedOn } from './evaluate-trained.js';
import { checkPlace } from '../write-file.js';
import { experimentOptions, readChanges, readExperiment, variantOption } from './experiment-options.js';
import { everyField, type ReadSettings } from './settings.js';
import { stoppable } from './stop.js';
import { formsOption, mostFormsOf } from './solve-until-sure.js';
import { duration, Progress } from '../progress.js';
import { percentText, toText } from '../report/tables.js';
import { untilSureText } from '../report/thoughts.js';
import { InputError, StoppedError } from '../errors.js';
import { given } from '../fields.js';
import { plural } from '../words.js';
import { kitCommand, projectRoot, shownPath } from '../files.js';
import { parameterCount } from '../model/parameters.js';

const { experiment: namedExperiment, set: setOption } = experimentOptions(
  readSettingsOf,
  'model.latentRecursions=4,task.testPuzzles=100',
  'Default: the checkpoint’s; with --random sudoku-4x4',
);

export const evaluateCommand: Command = {
  name: 'evaluate',
  summary:
    'Score a checkpoint: exact, cell and halting accuracy after every supervision step. It can also spend more ' +
    'compute than the paper: more steps, votes, noisy chains or a search (docs/thinking-wider.md).',
  positionals: '[checkpoint]',
  count: [0, 1],
  options: {
    ...unreadWhere(
      (args) =>
        text(args, 'file') === undefined || isRandom(args)
          ? undefined
          : 'expected no --file with it: the file says which puzzles to score',
      { experiment: namedExperiment },
    ),
    set: setOption,
    file: {
      value: 'FILE',
      about: 'score these puzzles: any file that data check reads, or a folder. Default: those of the checkpoint',
    },
    weights: {
      ...weightsOption,
      unread: (args) => (isRandom(args) ? 'random weights have no average; name a checkpoint' : undefined),
    },
    split: { value: 'NAME', about: 'test, train or validation. Default test' },
    puzzles: { value: 'N', range: [1, anyNumber], about: 'score only the first N puzzles. Default all' },
    steps: {
      value: 'N',
      range: [1, 4096],
      about: "supervision steps, also more than in training. Default the model's",
    },
    'batch-size': {
      value: 'N',
      range: [1, 65_536],
      about: 'batch size, counted as puzzles × votes × chains. Default 128',
    },
    'halt-above': {
      value: 'X',
      range: [-1000, 1000],
      fraction: true,
      about:
        'stop once a halting logit exceeds X; above 0, the answer is more likely right than wrong. With several ' +
        'votes or chains, the first to halt gives the answer (arXiv 2601.19085). Default: never; with --until-sure 0',
    },
    'until-sure': {
      about:
        'search at test time: try one form of each puzzle after another until a halting logit is above ' +
        '--halt-above; counts passes and false stops',
    },
    forms: {
      ...formsOption,
      unread: (args) => (flag(args, 'until-sure') ? undefined : 'expected --until-sure with it'),
    },
    votes: {
      value: 'N',
      range: [1, 1024],
      unread: (args) =>
        flag(args, 'until-sure') ? 'expected no --until-sure with it: forms then take turns; give --forms' : undefined,
      about:
        'solve every puzzle in N forms, the first unchanged, and vote on the whole board (arXiv 2601.19085: 8). ' +
        'Default 1. ARC: versions of each task that vote on its grids. Default all',
    },
    relabel: {
      value: 'NAME',
      unread: (args) =>
        severalVotes(args) || flag(args, 'until-sure')
          ? undefined
          : 'the first form is the unchanged puzzle; give --votes 2 or more, or --until-sure',
      about:
        'what the forms change: digits (renamed), lines (rows and columns moved, transposed) or both. Default both',
    },
    chains: {
      value: 'N',
      range: [1, 1024],
      about:
        'independent runs of each form, all but the first with noise; the surest gives the answer (PTRM, arXiv ' +
        '2605.19943). Default 1',
    },
    noise: {
      value: 'S',
      range: [0, 100],
      fraction: true,
      unread: (args) => (severalChains(args) ? undefined : 'the first chain has no noise; give --chains 2 or more'),
      about:
        'standard deviation of the noise on the latents z before every supervision step. Default 0.3, ' +
        'as reported for PTRM',
    },
    'puzzle-ids': {
      value: 'NAME',
      about: "which puzzle embedding the model gets: own, blank (none) or shuffled (the next puzzle's). Default own",
    },
    submission: {
      value: 'FILE',
      about: 'ARC: write the two grids with the most votes for every test pair, in the form ARC Prize takes',
    },
    seed: {
      ...seedOption('seed of forms and noise'),
      unread: (args) =>
        severalVotes(args) || severalChains(args) || flag(args, 'until-sure')
          ? undefined
          : 'nothing is random without --votes, --chains or --until-sure',
    },
    random: {
      value: 'SEED',
      range: [0, 2 ** 32 - 1],
      about: "instead of a checkpoint: the experiment's model with random weights, to measure speed and memory",
    },
    variant: {
      ...variantOption,
      unread: (args) =>
        isRandom(args) ? undefined : 'a checkpoint states its own model; give --variant with --random only',
    },
    resume: {
      about:
        'continue where the same command was interrupted. It keeps the finished puzzles of a search, else whole ' +
        'batches (with --halt-above, eight at a time), in runs/evaluate, written every half minute and at the end',
    },
    ...engineOptions,
  },
  example: 'evaluate data/checkpoints/sudoku-4x4.safetensors',
  minutes: 'seconds',

  async run(args, out) {
    const folder = path.join(projectRoot(), 'runs', 'evaluate');
    const keep = new Keeping({
      folder,
      resume: flag(args, 'resume'),
      onFound: (file) => {
        throw new InputError(
          `expected --resume, since this evaluation was interrupted, and what it finished is in ${shownPath(file)}; ` +
            'delete that file to start over',
        );
      },
      onResume: (done, file) => out.note(`continuing after ${done} puzzles (${shownPath(file)})`),
      onNothing: () =>
        out.note(
          `--resume: nothing of this evaluation, with these options, is in ${shownPath(folder)}; it starts over`,
        ),
    });
    try {
      return await stoppable(out, 'stopping after this step', (shouldStop) => score(args, out, keep, shouldStop));
    } catch (error) {
      if (!(error instanceof StoppedError)) throw error;
      if (keep.holds) out.note(`stopped; continue with the same command and --resume (${shownPath(folder)})`);
      else
        out.note(`stopped; nothing is kept, because no ${flag(args, 'until-sure') ? 'puzzle' : 'batch'} was finished`);
      return 1;
    }
  },
};

/** Scores, prints and returns the exit code. Throws StoppedError if asked to stop. */
async function score(args: Arguments, out: Out, keep: Keeping, shouldStop: () => boolean): Promise<number> {
  const model = await openNamed(args);
  const { engine, config, notes, taken, assumed, name } = model;
  for (const note of notes) out.note(note);
  try {
    const chosen = await fittingData(args, model);
    const { dataset, chosenBy } = chosen;
    const asked = readAsked(args, dataset);
    const vote = readVote(args, dataset);
    const ids = isRandom(args) ? undefined : await checkIds(model, chosen, asked.every.puzzleIds, shouldStop);
    const known = await whatIsKnown(args, model, chosen, asked, shouldStop);
    const before = process.cpuUsage();
    const result = await thinkAndScore(engine, dataset, asked, keep, shouldStop);
    const { user, system } = process.cpuUsage(before);
    const cpuSeconds = (user + system) / 1e6; // beside other programs it says more than the clock
    const sinceThen = keep.wentOn ? ' since it was resumed' : '';
    const peakMemory = process.resourceUsage().maxRSS * 1024;
    out.line(
      `${dataset.name}: ${plural(result.puzzles, 'puzzle')}, ${duration(result.seconds)}, ` +
        `${Number((result.puzzles / result.seconds).toPrecision(3))} puzzles/s, ` +
        `${duration(cpuSeconds)} of processor time${sinceThen}, ` +
        `peak memory ${(peakMemory / 2 ** 20).toFixed(0)} MiB, ${engine.description}, ${engine.precision}`,
    );
    out.line(`puzzles chosen by ${chosenBy}`);
    if (known !== undefined) out.line(known.line);
    if (ids !== undefined) out.line(ids);
    if (dataset.note !== '') out.line(dataset.note);
    if ('each' in result) out.line(untilSureText(result));
    else for (const line of stepLines(result)) out.line(line);
    const voted = vote === undefined ? {} : await letVote(engine, vote, { ...asked.every, shouldStop, keep }, out);
    if (taken !== undefined) out.line(taken);
    if (assumed.length > 0) out.line(assumedLine(assumed)); // the last line is what is read
    out.result({
      checkpoint: name,
      dataset: dataset.name,
      chosenBy,
      notes: [...notes, ...(ids === undefined ? [] : [ids])],
      ...given({ trainingPuzzles: known?.overlap }),
      assumed,
      sha256: dataset.sha256,
      engine: engine.description,
      precision: engine.precision,
      parameters: parameterCount(config),
      thinking: asked.thinking,
      puzzleIds: asked.every.puzzleIds,
      peakMemory,
      cpuSeconds,
      ...result,
      ...voted,
    });
    await new Promise(setImmediate); // a full disk ends the process here
    keep.remove();
    return 0;
  } finally {
    engine.dispose();
  }
}

/** What is known of the training puzzles; undefined where they are what is scored, and for random weights. */
async function whatIsKnown(
  args: Arguments,
  model: OpenModel,
  chosen: ChosenData,
  { options }: Asked,
  shouldStop: () => boolean,
): Promise<TrainedOn | undefined> {
  if (isRandom(args)) return undefined;
  if (text(args, 'split') !== 'train') return trainedOn(model, chosen, shouldStop, options.puzzles);
  const { trainSha256 } = model.metadata;
  return trainSha256 === undefined || trainSha256 === chosen.dataset.sha256
    ? undefined
    : { line: 'these are not the training puzzles of the model, or their files have changed since its training' };
}

/** The requested puzzles. Throws InputError if they do not fit the model. */
async function fittingData(args: Arguments, model: OpenModel & { readonly name: string }): Promise<ChosenData> {
  const puzzles = numberOf(args, 'puzzles');
  const chosen = await dataToScore(args, isRandom(args) ? undefined : model, puzzles);
  const { vocabSize, sequenceLength, name, examples } = chosen.dataset;
  const fromFile = text(args, 'file') !== undefined;
  if (vocabSize !== model.config.vocabSize || sequenceLength !== model.config.sequenceLength)
    throw new InputError(
      `expected puzzles of ${model.config.sequenceLength} cells and ${model.config.vocabSize} tokens, ` +
        `as ${model.name} was trained on, got ${sequenceLength} and ${vocabSize} from ` +
        `${name}; choose ${fromFile ? 'another file or checkpoint' : 'the fitting --experiment'}`,
    );
  if (puzzles !== undefined && puzzles > examples)
    throw new InputError(
      examples === 0
        ? `${name}: expected puzzles, got none; choose another --split or --experiment`
        : `--puzzles: expected at most the ${examples} of ${name}, got ${puzzles}`,
    );
  return chosen;
}

/** How the model is to think, as requested. */
interface Asked {
  /** For all three: a pass, a search, and a vote of ARC's versions. */
  readonly every: Pick<EvaluateOptions, 'supervisionSteps' | 'batchSize'> &
    Pick<Required<EvaluateOptions>, 'puzzleIds'>;
  /** Options of a pass and a search. */
  readonly options: EvaluateOptions;
  /** Option of a search; absent: a pass. */
  readonly mostForms?: number;
  /** The request as --json prints it. */
  readonly thinking: object;
}

function readAsked(args: Arguments, dataset: Dataset): Asked {
  const puzzles = numberOf(args, 'puzzles');
  const supervisionSteps = numberOf(args, 'steps');
  const batchSize = numberOf(args, 'batch-size');
  const every = {
    puzzleIds: choice(args, 'puzzle-ids', ['own', 'blank', 'shuffled']) ?? 'own',
    ...given({ supervisionSteps, batchSize }),
  };
  const relabelling = choice(args, 'relabel', ['digits', 'lines', 'both']);
  if (relabelling !== undefined && kindOfSet(dataset) !== 'sudoku')
    throw new InputError(`--relabel: expected Sudokus, got ${dataset.name}`);
  const search = flag(args, 'until-sure');
  const arc = isArcDataset(dataset);
  const votes = arc ? 1 : (numberOf(args, 'votes') ?? 1); // ARC's versions vote afterwards
  const forms = search || votes > 1 ? formsOf(dataset, relabelling) : undefined;
  const mostForms = search ? { mostForms: Math.min(mostFormsOf(args), forms?.count ?? 1) } : {};
  const chains = numberOf(args, 'chains') ?? 1;
  const noise = numberOf(args, 'noise') ?? (chains > 1 ? 0.3 : 0);
  const seed = seedOf(args);
  if (arc && text(args, 'seed') !== undefined && !severalChains(args))
    throw new InputError('--seed: nothing is random in a vote of the versions of ARC tasks; leave it out');
  const haltAbove = numberOf(args, 'halt-above');
  return {
    every,
    options: {
      ...every,
      ...given({ puzzles, haltAbove }),
      chains,
      noise,
      votes,
      ...given({ forms }),
      random: new Random(seed),
    },
    ...mostForms,
    thinking: {
      haltAbove: haltAbove ?? (search ? 0 : null),
      ...(arc ? given({ versions: numberOf(args, 'votes') }) : { votes }),
      ...mostForms,
      ...(forms !== undefined && kindOfSet(dataset) === 'sudoku' ? { relabel: relabelling ?? 'both' } : {}),
      chains,
      ...(chains > 1 ? { noise } : {}),
      seed,
    },
  };
}

/** A pass over the puzzles, or a search for each. */
async function thinkAndScore(
  engine: Engine,
  dataset: Dataset,
  { options, mostForms }: Asked,
  keep: Keeping,
  shouldStop: () => boolean,
): Promise<Evaluation | UntilSure> {
  const progress = new Progress();
  const [what, note] =
    mostForms === undefined ? (['evaluating', ''] as const) : (['searching', 'the hardest take longest'] as const);
  const watched = {
    ...options,
    keep,
    shouldStop,
    onProgress: ({ done, total }: { done: number; total: number }) =>
      progress.update(what, 'puzzles', done, total, done < total ? note : ''),
  };
  return mostForms === undefined
    ? evaluate(engine, dataset, watched)
    : evaluateUntilSure(engine, dataset, { ...watched, mostForms });
}

/** Options of single puzzles or other ways of thinking: a vote takes all puzzles, in single passes. */
const notOfVotes = ['puzzles', 'until-sure', 'chains', 'noise', 'halt-above'];

/** The vote of ARC's versions. */
interface Vote {
  readonly dataset: ArcDataset;
  readonly versions?: number;
  readonly submission?: string;
  /** Given options that a vote cannot follow; if there are any, none is held. */
  readonly strange: readonly string[];
}

/** Undefined unless the puzzles are ARC tasks. Throws InputError for a vote with options that it cannot follow. */
function readVote(args: Arguments, dataset: Dataset): Vote | undefined {
  const submission = text(args, 'submission');
  if (submission !== undefined && existsSync(submission))
    throw new InputError(`--submission: expected a new file, got ${submission}, which exists; choose another name`);
  if (!isArcDataset(dataset)) {
    if (submission === undefined) return undefined;
    throw new InputError('--submission: expected an ARC experiment, such as --experiment arc-7x7-study');
  }
  if (submission !== undefined) checkPlace(submission); // checked now, not after the vote
  const versions = numberOf(args, 'votes');
  const strange = notOfVotes.filter((name) => args.options[name] !== undefined).map((name) => `--${name}`);
  if (strange.length > 0 && (versions !== undefined || submission !== undefined))
    throw new InputError(
      `--${submission === undefined ? 'votes' : 'submission'}: expected no ${strange.join(', ')} with it: ` +
        'the versions of all tasks vote, each after a single pass',
    );
  return { dataset, ...given({ versions, submission }), strange };
}

/** Holds the vote, or says why not. */
async function letVote(
  engine: Engine,
  { dataset, versions, submission, strange }: Vote,
  options: ArcVoteOptions,
  out: Out,
): Promise<{ readonly arc?: ArcVoteResult }> {
  if (strange.length > 0) {
    out.line(`no vote: it does not support ${strange.join(', ')}; leave that out, and the versions of all tasks vote`);
    return {};
  }
  return { arc: await voteAndReport(engine, dataset, { ...options, ...given({ versions }) }, submission, out) };
}

/** Accuracies after every supervision step. */
function stepLines(result: Evaluation): string[] {
  const halting =
    result.meanSteps === undefined
      ? []
      : [
          `halting: ${result.meanSteps.toFixed(2)} of ${result.supervisionSteps} supervision steps a puzzle on ` +
            "average; below, a halted puzzle's answer also counts for the steps that it skipped",
        ];
  const { exactAccuracy, cellAccuracy, haltingAccuracy, alternative } = result;
  const lists = [
    exactAccuracy,
    cellAccuracy,
    haltingAccuracy,
    ...(alternative === undefined ? [] : [alternative.accuracy]),
  ];
  const table = {
    columns: ['step', 'exact', 'cells', 'halting', ...(alternative === undefined ? [] : [alternative.name])],
    rows: exactAccuracy.map((_, step) => [String(step + 1), ...lists.map((shares) => percentText(shares[step]))]),
  };
  return [...halting, toText(table)];
}

/** Settings that affect the result: those of the puzzles, and of the model except in training. */
function readSettingsOf(args: Arguments): ReadSettings {
  const fromFile = text(args, 'file') !== undefined && !isRandom(args);
  return { ...(fromFile ? {} : { task: everyField }), model: isRandom(args) ? everyField : usedInAnswers };
}

function isRandom(args: Arguments): boolean {
  return text(args, 'random') !== undefined;
}

function severalVotes(args: Arguments): boolean {
  return (numberOf(args, 'votes') ?? 1) > 1;
}

function severalChains(args: Arguments): boolean {
  return (numberOf(args, 'chains') ?? 1) > 1;
}

/** The model that the arguments name: a checkpoint, or random weights in an experiment's or a variant's shapes. */
async function openNamed(args: Arguments): Promise<OpenModel & { readonly name: string }> {
  const [file] = args.positionals;
  const seed = numberOf(args, 'random');
  if ((file === undefined) === (seed === undefined))
    throw new InputError(
      `evaluate: expected a checkpoint or --random SEED, and not both (${kitCommand} evaluate --help)`,
    );
  const engine = readEngineOptions(args);
  if (file !== undefined) {
    const { model = {} } = readChanges(args);
    const asked = text(args, 'experiment') === undefined ? {} : { cells: readExperiment(args).model.sequenceLength };
    const opened = await openModel(file, engine, { ...loadOptions(args, model), ...asked });
    refuseIdle(opened.config, model, args);
    return { ...opened, name: file };
  }
  const { model, name } = readExperiment(args);
  return {
    ...(await randomModel(model, new Random(seed ?? 0), engine)),
    name: `${text(args, 'variant') ?? name}, random weights`,
  };
}
