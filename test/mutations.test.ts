/**
 * Outside files, damaged in every way that chance finds: a reader reads one or refuses it by an InputError.
 * TRM_MUTATIONS=6000 makes so many mutations of each reader instead of 200.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { InputError } from '../lib/errors.js';
import { readRecord, writeRecord, type RunRecord } from '../lib/experiment/record.js';
import { projectRoot } from '../lib/files.js';
import { loadCheckpoint } from '../lib/model/checkpoint.js';
import { readConfigText } from '../lib/model/config-beside.js';
import { Random } from '../lib/random.js';

const rounds = Number(process.env['TRM_MUTATIONS'] ?? 200);
const saved = path.join(projectRoot(), 'test', 'model', 'fixtures', 'saved');
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

describe(`${rounds} mutations`, function () {
  this.timeout(600_000);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'mutations-'));
  after(() => rmSync(folder, { recursive: true }));
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
  const readers: Readonly<Record<string, (random: Random) => void>> = {
    'of a safetensors checkpoint': (random) =>
      void loadCheckpoint(damaged(header, random, 0, 8 + Number(header.readBigUInt64LE(0)))),
    'of the pickle of a training state': (random) => damagedPickle('average-ema_helper.pt', random),
    'of a pickle with foreign objects': (random) => damagedPickle('objects-4.pt', random),
    'of a pickle with OmegaConf': (random) => damagedPickle('omegaconf.pt', random),
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
    'of a record': (random) => {
      writeRecord(file, record());
      writeFileSync(file, damaged(readFileSync(file), random));
      readRecord(file);
    },
    'of a record with a right seal': (random) => {
      writeRecord(file, (altered(record(), random) ?? {}) as RunRecord);
      readRecord(file);
    },
  };
  for (const [name, read] of Object.entries(readers)) {
    it(`${name} are read or refused`, () => {
      const random = new Random(1);
      let refused = 0;
      for (let round = 0; round < rounds; round++) {
        try {
          read(random);
        } catch (error) {
          if (!(error instanceof InputError))
            assert.fail(`round ${round}: ${error instanceof Error ? error.stack : String(error)}`);
          assert.ok(error.message.length < 4000 && !error.message.includes('\n'), `round ${round}: ${error.message}`);
          refused++;
        }
      }
      assert.ok(refused > rounds / 20, `${refused} of ${rounds} refused`);
    });
  }
});
