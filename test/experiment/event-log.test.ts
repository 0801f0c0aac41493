/** TensorBoard's event files: framing, checksums and values read back by hand, and no step twice after a kill. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadBackend } from '../../lib/engine/tfjs/backend.js';
import { change } from '../../lib/experiment/experiment.js';
import { experiment } from '../../lib/experiment/experiments.js';
import type { RunRecord } from '../../lib/experiment/record.js';
import { runExperiment } from '../../lib/experiment/run.js';
import { newFolder } from '../new-folder.js';
import { notAtHand } from '../not-at-hand.js';

const cli = fileURLToPath(new URL('../../lib/cli.js', import.meta.url));

/** CRC-32C, bit by bit, in the masked form of TFRecord files. */
function maskedCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** The records of a TFRecord file: length, its checksum, content, its checksum. */
function recordsOf(file: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    assert.equal(file.readUInt32LE(at + 8), maskedCrc(file.subarray(at, at + 8)));
    const content = file.subarray(at + 12, at + 12 + length);
    assert.equal(file.readUInt32LE(at + 12 + length), maskedCrc(content));
    found.push(content);
    at += 16 + length;
  }
  return found;
}

/** The fields of a protocol buffer: numbers, four and eight bytes, and byte strings. */
function fieldsOf(message: Buffer): Map<number, Buffer | number> {
  const fields = new Map<number, Buffer | number>();
  let at = 0;
  const varint = (): number => {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = message[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  };
  while (at < message.length) {
    const key = varint();
    const size = { 1: 8, 5: 4, 2: 0 }[key & 7];
    if (size === undefined) fields.set(key >> 3, varint());
    else {
      const bytes = size === 0 ? varint() : size;
      fields.set(key >> 3, message.subarray(at, at + bytes));
      at += bytes;
    }
  }
  return fields;
}

/** "tag step" to value, of a folder's event files; a step that stands twice fails. */
function scalarsIn(folder: string): Map<string, number> {
  const scalars = new Map<string, number>();
  for (const name of readdirSync(folder)) {
    const [first, ...events] = recordsOf(readFileSync(path.join(folder, name))).map(fieldsOf);
    assert.equal(String(first?.get(3)), 'brain.Event:2');
    for (const event of events) {
      const value = fieldsOf(fieldsOf(event.get(5) as Buffer).get(1) as Buffer);
      const key = `${String(value.get(1))} ${String(event.get(2))}`;
      assert.ok(!scalars.has(key), `${key} stands twice`);
      scalars.set(key, (value.get(2) as Buffer).readFloatLE());
    }
  }
  return scalars;
}

/** The same, of a run's record. */
const scalarsOf = ({ curve, evaluations }: RunRecord): Map<string, number> =>
  new Map([
    ...curve.flatMap(({ step, ...values }) =>
      Object.entries(values)
        .filter((entry): entry is [string, number] => entry[1] !== null)
        .map(([name, value]): [string, number] => [`training/${name} ${step}`, Math.fround(value)]),
    ),
    ...evaluations.flatMap(({ step, exactAccuracy, cellAccuracy }): [string, number][] => [
      [`evaluation/exactAccuracy ${step}`, Math.fround(exactAccuracy.at(-1)!)],
      [`evaluation/cellAccuracy ${step}`, Math.fround(cellAccuracy.at(-1)!)],
    ]),
  ]);

const loads = await loadBackend('tensorflow').then(
  () => true,
  () => false,
);
const withTensorFlow = loads ? it : notAtHand;
const without = loads ? notAtHand : it;

describe('TensorBoard', function () {
  this.timeout(120_000);
  const folder = newFolder();

  const train = (...more: string[]): ReturnType<typeof spawnSync> =>
    spawnSync(
      process.execPath,
      [
        ...[cli, 'train', '--experiment', 'sudoku-smoke', '--log', 'tensorboard', '--checkpoint-every', '2'],
        ...['--set', 'training.steps=8,evaluation.every=4,evaluation.puzzles=4', '--folder', folder, ...more],
      ],
      { encoding: 'utf8' },
    );

  without('where TensorFlow does not load, say so', () => {
    const { status, stderr } = train();
    assert.equal(status, 2);
    assert.match(String(stderr), /tfjs backend tensorflow does not load .* run npm run setup/);
  });

  withTensorFlow('files hold every point of the curve once, also after a run that was started over', () => {
    const first = train();
    assert.equal(first.status, 0, String(first.stderr));
    for (const again of ['--restart', '--resume']) {
      if (again === '--restart') rmSync(path.join(folder, 'record.json'));
      assert.equal(train(again).status, 0);
      const record = JSON.parse(readFileSync(path.join(folder, 'record.json'), 'utf8')) as RunRecord;
      assert.ok(record.curve.length >= 4 && record.evaluations.length === 2);
      assert.deepEqual(
        new Map([...scalarsIn(path.join(folder, 'tensorboard'))].sort()),
        new Map([...scalarsOf(record)].sort()),
      );
    }
  });

  withTensorFlow('files are whole if one process trains again after its folder is removed', async () => {
    const smoke = experiment('sudoku-smoke');
    const short = change(smoke, { training: { steps: 4 } });
    const files = path.join(newFolder(), 'run');
    for (let time = 1; time <= 2; time++) {
      const { record, engine } = await runExperiment(short, { folder: files, log: 'tensorboard' });
      engine.dispose();
      assert.deepEqual(
        new Map([...scalarsIn(path.join(files, 'tensorboard'))].sort()),
        new Map([...scalarsOf(record!)].sort()),
      );
      rmSync(files, { recursive: true });
    }
  });

  it('refuses a backend that cannot write them', () => {
    const { status, stderr } = train('--engine', 'tfjs', '--backend', 'wasm');
    assert.equal(status, 2);
    assert.match(String(stderr), /--log tensorboard: expected --backend tensorflow, .* got wasm/);
  });
});
