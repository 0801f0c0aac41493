/**
 * Outside files, damaged in every way that chance finds: a reader reads one or refuses it by an InputError.
 * TRM_MUTATIONS=6000 makes so many mutations of each reader instead of 40.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Arguments } from '../lib/cli/command.js';
import { readExperiment } from '../lib/cli/experiment-options.js';
import { readArcTasks } from '../lib/data/arc-json.js';
import { readBoards } from '../lib/data/board-text.js';
import { loadMazeFile } from '../lib/data/maze-file.js';
import { generateMazes } from '../lib/data/maze-generator.js';
import { mazeAnswer, mazeText } from '../lib/data/maze.js';
import { readNpy } from '../lib/data/npy.js';
import { readReferenceFolder } from '../lib/data/reference-format.js';
import { loadSudokuFile } from '../lib/data/sudoku-file.js';
import { sudokuDataset } from '../lib/data/sudoku-sets.js';
import { createEngine } from '../lib/engine/create.js';
import { whyUnavailable } from '../lib/engine/native/addon.js';
import { InputError } from '../lib/errors.js';
import { claim } from '../lib/experiment/claim.js';
import { experiment } from '../lib/experiment/experiments.js';
import { checkMeasured } from '../lib/experiment/record-shape.js';
import { readRecord, writeRecord, type RunRecord } from '../lib/experiment/record.js';
import { sealed } from '../lib/experiment/sealed.js';
import { readWider, readWiderRecords } from '../lib/experiment/wider-record.js';
import { toMarkdown } from '../lib/report/tables.js';
import { thresholdTable, widerTable } from '../lib/report/wider.js';
import { projectRoot } from '../lib/files.js';
import { loadCheckpoint } from '../lib/checkpoint/checkpoint.js';
import { readConfigText } from '../lib/checkpoint/config-beside.js';
import { Random } from '../lib/random.js';
import { paperTraining } from '../lib/train/options.js';
import { readSnapshot, readStartWeights, writeSnapshot } from '../lib/train/snapshot.js';
import { Trainer, type TrainerSnapshot } from '../lib/train/trainer.js';
import { newFolder } from './new-folder.js';

const rounds = Number(process.env['TRM_MUTATIONS'] ?? 40);
const counted = process.env['TRM_MUTATIONS'] !== undefined;
const saved = path.join(projectRoot(), 'test', 'checkpoint', 'fixtures', 'saved');
const form = (name: string): Buffer => readFileSync(path.join(saved, 'forms', name));

/** Changes bytes, cuts, doubles or inserts; between `from` and `to` for the parts that a reader interprets. */
function damaged(whole: Buffer, random: Random, from = 0, to = whole.length): Buffer {
  const at = from + random.integer(Math.max(1, to - from));
  switch (random.integer(6)) {
    case 0:
      return whole.subarray(0, at);
    case 1:
      return Buffer.concat([whole.subarray(0, at), whole.subarray(at + 1 + random.integer(8))]);
    case 2:
      return Buffer.concat([whole.subarray(0, at), whole.subarray(Math.max(0, at - random.integer(40)))]);
    default: {
      const copy = Buffer.from(whole);
      for (let i = random.integer(4); i >= 0; i--)
        copy[from + random.integer(Math.max(1, to - from))] = random.pick([
          0,
          0xff,
          0x80,
          0x7b,
          0x5b,
          random.integer(256),
          ...Buffer.from('0123456789,.(){}[]":-|eS G#o\n'),
        ]);
      return copy;
    }
  }
}

/** Replaces, removes or adds one value somewhere in plain data. */
function altered(value: unknown, random: Random, depth = 0): unknown {
  const odd: unknown[] = [
    null,
    -1,
    1e300,
    '',
    'x',
    [],
    {},
    true,
    [[[]]],
    { __proto__: null, constructor: 1 },
    undefined,
  ];
  if (typeof value !== 'object' || value === null || random.bernoulli(0.15)) return random.pick(odd);
  const keys = Object.keys(value);
  if (keys.length === 0 || depth > 6) return random.pick(odd);
  const key = random.pick(keys);
  const inner = altered((value as Record<string, unknown>)[key], random, depth + 1);
  if (Array.isArray(value)) return value.map((each, i) => (String(i) === key ? inner : each));
  const { [key]: _, ...others } = value as Record<string, unknown>;
  return random.bernoulli(0.2) ? others : { ...others, [random.bernoulli(0.1) ? `${key}x` : key]: inner };
}

const [maze] = await generateMazes(10, 15, 1, new Random(0));

describe(`${rounds} mutations`, function () {
  this.timeout(Math.max(600_000, 1000 * rounds));
  const folder = newFolder();
  const file = path.join(folder, 'file');

  /** The pickle comes first in an archive of torch.save, up to the header of the next entry. */
  const damagedPickle = (name: string, random: Random): void => {
    const whole = form(name);
    loadCheckpoint(damaged(whole, random, 30, whole.indexOf('PK\x03\x04', 30)));
  };
  const header = form('text.safetensors');
  const records = path.join(projectRoot(), 'data', 'runs');
  const [first = ''] = readdirSync(records).filter((name) => /^sudoku.*\.json$/.test(name));
  const record = (): RunRecord => readRecord(path.join(records, first));
  const studyFile = path.join(projectRoot(), 'data', 'wider', 'sudoku-9x9-seed0-a4fef331.json');
  const write = (bytes: Uint8Array, name = 'file'): string => {
    const written = path.join(folder, name);
    writeFileSync(written, bytes);
    return written;
  };
  const data = path.join(projectRoot(), 'test', 'data', 'fixtures');
  const sudokus = (name: string): Buffer => readFileSync(path.join(data, 'sudoku', name));
  const board = '.21....7....4.....3......696..74.8.............96..1..4...5.3...761.3.8.........2';
  const answer = '921365478865497231347218569613749825284531796759682143492856317576123984138974652';
  const rows = board.match(/.{9}/g)!;
  const forms: Readonly<Record<string, Buffer>> = {
    'a table of Sudokus by names': sudokus('own.csv'),
    'a table of Sudokus with quoted rows': sudokus('own-quoted-rows.csv'),
    'a table of Sudokus without a header': Buffer.from(`7;${board};7.2;${answer}\n8;${board};6.6;${answer}\n`),
    'a gzipped table of Sudokus': gzipSync(sudokus('kaggle-1m.csv')),
    'a table in UTF-16': Buffer.from(`\ufeffid\tpuzzle\tsolution\n1\t${board}\t${answer}\n`, 'utf16le'),
    'a table of Sudokus, one cell a column': Buffer.from(`${[...board].join(',')}\n${[...board].join(',')}\n`),
    'a sheet of Sudokus, nine rows of nine columns': Buffer.from(
      rows.map((row) => `${[...row.replaceAll('.', ' ')].map((cell) => cell.trim()).join(',')}\n`).join(''),
    ),
    'a list of Sudokus (.sdm)': sudokus('plain.sdm'),
    'a print-out of a Sudoku (.sdk)': sudokus('pretty.sdk'),
    'a print-out with its answer': Buffer.from(`Grid 01\n${rows.join('\n')}\nAnswer\n${answer}\n`),
  };
  const mazes = Buffer.from(`source,question,answer,rating\nx,${mazeText(maze!)},${mazeText(mazeAnswer(maze!))},16\n`);
  const arc = (name: string): Buffer => readFileSync(path.join(data, 'arc', name));
  const builder = path.join(data, 'ignore-null');
  cpSync(builder, path.join(folder, 'builder'), { recursive: true });
  cpSync(path.join(data, 'arc', 'tasks'), path.join(folder, 'tasks'), { recursive: true });
  /** One file of a folder damaged, and whole again after it was read. */
  const damagedIn = (inner: string, read: () => void, random: Random): void => {
    const whole = readFileSync(path.join(builder, inner));
    write(damaged(whole, random), path.join('builder', inner));
    try {
      read();
    } finally {
      write(whole, path.join('builder', inner));
    }
  };
  const set = 'training.steps=300,model.mixer=attention,task.trainPuzzles=40,training.supervisionCurriculum=[[0.6,1]]';
  const { task, model, training, evaluation } = experiment('sudoku-6x6');
  const config = JSON.stringify({
    experiment: 'sudoku-6x6',
    task,
    model: { mixer: model.mixer },
    training,
    evaluation,
  });
  /** A small training under way, and its state. */
  const small = {
    ...experiment('sudoku-4x4').model,
    hiddenSize: 8,
    heads: 2,
    innerMultiple: 8,
    puzzleEmbeddingSize: 8,
  };
  const progress = {
    curve: [],
    pending: {},
    pendingSteps: 0,
    evaluations: [],
    closing: {},
    sittings: [],
    seconds: { training: 1, evaluation: 0 },
  };
  let trainer: Trainer;
  let snapshot: TrainerSnapshot;
  before(async () => {
    const engine = await createEngine(small, {
      engine: whyUnavailable() === undefined ? 'native' : 'tfjs',
      precision: whyUnavailable() === undefined ? 'float32' : 'auto',
    });
    const counts = { trainPuzzles: 8, testPuzzles: 1, validationPuzzles: 0, augmentations: 0, minDifficulty: 0 };
    const { train } = await sudokuDataset({ side: 4, source: 'generated', seed: 0, ...counts });
    trainer = new Trainer(engine, train, { ...paperTraining, batchSize: 2, steps: 9 }, 0);
    await trainer.start();
    await trainer.trainStep();
    snapshot = await trainer.snapshot();
  });
  /** What a run does with a state: one that it takes, it must also be able to train on. */
  const resumed = async (written: string): Promise<void> => {
    const { snapshot: read, extra } = readSnapshot(written, small, 2);
    checkMeasured(written, (extra as { readonly progress?: unknown } | null)?.progress);
    await trainer.restore(read);
    await trainer.trainStep();
  };
  const given = (options: Arguments['options']): Arguments => ({ options, positionals: [] });
  const notebookText = JSON.stringify({
    cells: [
      { cell_type: 'markdown', metadata: {}, source: ['# A\n', 'b'] },
      {
        cell_type: 'code',
        execution_count: 1,
        metadata: { tags: ['parameters', 'reads=data/checkpoints/*'] },
        outputs: [{ output_type: 'stream', name: 'stdout', text: ['1\n'] }],
        source: 'const one = 1;\none',
      },
    ],
    metadata: { kernelspec: { name: 'tslab' }, trm_lab: { code: '', inputs: '' } },
    nbformat: 4,
    nbformat_minor: 5,
  });
  let scripts: {
    readonly readNotebook: (file: string) => unknown;
    readonly writeNotebook: (file: string, notebook: unknown) => void;
    readonly stalenessOf: (notebook: unknown) => string | undefined;
  };
  before(async () => {
    const load = async (name: string): Promise<object> =>
      (await import(pathToFileURL(path.join(projectRoot(), 'scripts', 'notebooks', `${name}.mjs`)).href)) as object;
    scripts = { ...(await load('notebook')), ...(await load('freshness')) } as typeof scripts;
  });
  const readers: Readonly<Record<string, (random: Random) => unknown>> = {
    ...Object.fromEntries(
      Object.entries(forms).map(([name, whole]) => [
        `of ${name}`,
        (random: Random) => loadSudokuFile(write(damaged(whole, random)), { limit: 100 }),
      ]),
    ),
    'of a Sudoku as text': (random) => readBoards(damaged(sudokus('pretty.sdk'), random).toString('latin1')),
    'of a table of mazes': (random) => loadMazeFile(write(damaged(mazes, random))),
    'of an ARC task': (random) => readArcTasks(write(damaged(arc('bom.json'), random))),
    'of an ARC task with odd values': (random) => {
      const [task] = [JSON.parse(arc('tasks/aaaa0001.json').toString()) as unknown];
      return readArcTasks(write(Buffer.from(JSON.stringify(altered(task, random)) ?? '')));
    },
    'of ARC challenges and solutions': (random) => {
      const first = random.bernoulli(0.5);
      write(first ? damaged(arc('challenges.json'), random) : arc('challenges.json'), 'challenges.json');
      write(first ? arc('solutions.json') : damaged(arc('solutions.json'), random), 'solutions.json');
      return readArcTasks(path.join(folder, 'challenges.json'));
    },
    'of a folder of ARC tasks': (random) => {
      write(damaged(arc('tasks/aaaa0002.json'), random), 'tasks/aaaa0002.json');
      return readArcTasks(path.join(folder, 'tasks'));
    },
    'of an .npy array': (random) =>
      readNpy(write(damaged(readFileSync(path.join(builder, 'train', 'all__inputs.npy')), random)), {
        dimensions: 2,
        most: 2 ** 30,
        largest: 11,
      }),
    'of a folder of the Python builders': (random) =>
      damagedIn(
        random.pick([
          'train/dataset.json',
          'identifiers.json',
          'train/all__inputs.npy',
          'train/all__labels.npy',
          'train/all__group_indices.npy',
          'train/all__puzzle_indices.npy',
          'test/all__puzzle_identifiers.npy',
        ]),
        () => void readReferenceFolder(path.join(folder, 'builder')),
        random,
      ),
    'of settings on a command line': (random) =>
      readExperiment(given({ set: damaged(Buffer.from(set), random).toString('latin1') })),
    'of a configuration of an experiment': (random) =>
      readExperiment(given({ config: write(damaged(Buffer.from(config), random)) })),
    'of a configuration of an experiment with odd values': (random) =>
      readExperiment(given({ config: write(Buffer.from(JSON.stringify(altered(JSON.parse(config), random)) ?? '')) })),
    'of a notebook': (random) => {
      // The scripts are no part of lib: their sentences are plain errors, and a mistake throws a subclass of those.
      try {
        const notebook = scripts.readNotebook(
          write(
            random.bernoulli(0.5)
              ? damaged(Buffer.from(notebookText), random)
              : Buffer.from(JSON.stringify(altered(JSON.parse(notebookText), random)) ?? ''),
          ),
        );
        scripts.stalenessOf(notebook);
        scripts.writeNotebook(path.join(folder, 'out.ipynb'), notebook);
      } catch (error) {
        if (error instanceof Error && error.constructor === Error && !('code' in error))
          throw new InputError(error.message);
        throw error;
      }
    },
    'of a safetensors checkpoint': (random) =>
      void loadCheckpoint(damaged(header, random, 0, 8 + Number(header.readBigUInt64LE(0)))),
    'of the pickle of a training state': (random) => damagedPickle('average-ema_helper.pt', random),
    'of a pickle with foreign objects': (random) => damagedPickle('objects-4.pt', random),
    'of a pickle with OmegaConf': (random) => damagedPickle('omegaconf.pt', random),
    'of a file of PyTorch before 1.6': (random) => void loadCheckpoint(damaged(form('legacy.pt'), random, 0, 3000)),
    'of a whole zip archive': (random) => {
      const whole = form('lightning.ckpt');
      loadCheckpoint(damaged(whole, random, whole.length - 3000));
    },
    'of an index of shards': (random) => {
      mkdirSync(folder, { recursive: true });
      writeFileSync(path.join(folder, 'x.index.json'), damaged(form('sharded/model.safetensors.index.json'), random));
      loadCheckpoint(path.join(folder, 'x.index.json'));
    },
    'of a configuration in YAML': (random) =>
      void readConfigText(
        damaged(readFileSync(path.join(saved, 'ema', 'all_config.yaml')), random).toString('latin1'),
        'x.yaml',
      ),
    'of a configuration in JSON': (random) =>
      void readConfigText(damaged(form('sharded/config.json'), random).toString('latin1'), 'x.json'),
    'of a checkpoint of this kit': (random) => {
      const whole = readFileSync(path.join(projectRoot(), 'data', 'checkpoints', 'sudoku-6x6.safetensors'));
      loadCheckpoint(damaged(whole, random, 0, 8 + Number(whole.readBigUInt64LE(0))));
    },
    'of a state of training (state.safetensors)': async (random) => {
      writeSnapshot(file, snapshot, { id: 'run', progress });
      writeFileSync(file, damaged(readFileSync(file), random));
      await resumed(file);
    },
    'of a state of training with a right seal': async (random) => {
      const { tensors, latents, carry, ...rest } = snapshot;
      const part = random.pick(['carry', 'progress', 'place']);
      const { stream, step } = part === 'place' ? ((altered(rest, random) ?? {}) as TrainerSnapshot) : rest;
      const numbers = (values: Int32Array): Int32Array =>
        values.map((each) => (part === 'carry' && random.bernoulli(0.02) ? random.integer(9) - 2 : each));
      const puzzles = {
        tokens: numbers(carry.puzzles.tokens),
        labels: numbers(carry.puzzles.labels),
        puzzleIds: numbers(carry.puzzles.puzzleIds),
      };
      const changed = { ...carry, puzzles, steps: numbers(carry.steps), halted: new Uint8Array(2) };
      const extra = { id: 'run', progress };
      writeSnapshot(
        file,
        { step: typeof step === 'object' ? -1 : step, stream, tensors, latents, carry: changed },
        part === 'progress' ? altered(extra, random) : extra,
      );
      await resumed(file);
    },
    'of weights to start from': (random) => {
      writeSnapshot(file, snapshot, {});
      writeFileSync(file, damaged(readFileSync(file), random));
      readStartWeights(file, small);
    },
    'of a claim on a folder': (random) => {
      const held = JSON.stringify({ host: os.hostname(), pid: 2 ** 30, token: 'x', job: 'y' });
      write(
        random.bernoulli(0.5)
          ? damaged(Buffer.from(held), random)
          : Buffer.from(JSON.stringify(altered(JSON.parse(held), random)) ?? ''),
        'claim.json',
      );
      const taken = claim(folder);
      taken?.release();
      if (taken === undefined) throw new InputError('held');
    },
    'of a record': (random) => {
      writeRecord(file, record());
      writeFileSync(file, damaged(readFileSync(file), random));
      readRecord(file);
    },
    'of a record with a right seal': (random) => {
      writeRecord(file, (altered(record(), random) ?? {}) as RunRecord);
      readRecord(file);
    },
    'of a study': (random) => {
      writeFileSync(file, damaged(readFileSync(studyFile), random));
      readWider(file);
    },
    'of a study with a right seal': (random) => {
      const own = path.join(folder, 'studies');
      mkdirSync(own, { recursive: true });
      const changed = sealed((altered(readWider(studyFile), random) ?? {}) as object);
      writeFileSync(path.join(own, 'study.json'), JSON.stringify(changed));
      for (const study of readWiderRecords(own)) [widerTable(study), thresholdTable(study)].map(toMarkdown);
    },
  };
  for (const [name, read] of Object.entries(readers)) {
    it(`${name} are read or refused`, async () => {
      const random = new Random(1);
      let refused = 0;
      for (let round = 0; round < rounds; round++) {
        try {
          await read(random);
        } catch (error) {
          if (!(error instanceof InputError))
            assert.fail(`round ${round}: ${error instanceof Error ? error.stack : String(error)}`);
          assert.ok(error.message.length < 4000 && !error.message.includes('\n'), `round ${round}: ${error.message}`);
          refused++;
        }
      }
      assert.ok(refused > rounds / 20, `${refused} of ${rounds} refused`);
      if (counted) console.log(`        ${refused} of ${rounds} refused`);
    });
  }
});
