/** Two ranks on a CPU, gradients summed by gloo, against one: the same losses, gradients, parameters and answers. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import type { Engine } from '../../lib/engine/engine.js';
import { createTorchEngine } from '../../lib/engine/torch/engine.js';
import { workerCommand } from '../../lib/engine/torch/worker.js';
import { InputError } from '../../lib/errors.js';
import { initialParameters } from '../../lib/model/parameters.js';
import { Random } from '../../lib/random.js';
import { distance, left, odd, request, update, workers } from './small.js';

describe('torch engine on two ranks', function () {
  this.timeout(120_000);
  const config = { ...odd, halting: 'halt-or-continue' as const };
  let one: Engine;
  let two: Engine;
  before(async () => {
    const make = (devices: number): Promise<Engine> =>
      createTorchEngine(config, { device: 'cpu', threads: 1, devices });
    [one, two] = await Promise.all([make(1), make(2)]);
    for (const engine of [one, two]) await engine.writeTensors('parameters', initialParameters(config, new Random(1)));
  });
  after(async () => {
    assert.equal(workers().length, 4); // torchrun is one more
    one.dispose();
    two.dispose();
    assert.deepEqual(await left(), []);
  });

  it('says so', () => {
    assert.match(one.description, /^torch 2\.\S+ cpu$/);
    assert.equal(two.description, `${one.description} × 2`);
  });

  it('learns what one rank learns, for either optimizer', async () => {
    const states = [one.createState(6), two.createState(6)] as const;
    for (const [step, optimizer] of (['adam-atan2', 'muon', 'adamw'] as const).entries()) {
      const batch = { ...request(config, 6, step), wantLogits: true };
      const [single, shared] = [await one.trainStep(states[0], batch), await two.trainStep(states[1], batch)];
      for (const part of ['answerLoss', 'haltLoss', 'continueLoss'] as const)
        shared[part].forEach((loss, seat) => {
          // The first step has the same sums seat by seat; later ones start from parameters summed in another order.
          assert.ok(Math.abs(loss - single[part][seat]!) <= 1e-4 * single[part][seat]!, `step ${step}, ${part}`);
        });
      assert.ok(distance(shared.logits!, single.logits!) < 1e-3, `step ${step}, logits`);
      const [theirs, ours] = [await one.readGradients(), await two.readGradients()];
      assert.deepEqual([...ours.keys()], [...theirs.keys()]);
      for (const [name, { shape, data }] of ours) {
        assert.deepEqual(shape, theirs.get(name)!.shape, name);
        assert.ok(distance(data, theirs.get(name)!.data) < 1e-3, `step ${step}, gradient of ${name}`);
      }
      for (const engine of [one, two]) await engine.update({ ...update, optimizer });
    }
    const [theirs, ours] = [await one.readTensors('parameters'), await two.readTensors('parameters')];
    // Three steps move a weight by up to 3e-3 where its gradient is more than rounding.
    for (const [name, { data }] of ours)
      assert.ok(distance(data, theirs.get(name)!.data) < 1e-3, `${name}: ${distance(data, theirs.get(name)!.data)}`);
    assert.ok(distance(ours.get('puzzle_emb.weights')!.data, theirs.get('puzzle_emb.weights')!.data) < 1e-6);
    const [single, shared] = [await states[0].read(), await states[1].read()];
    for (const [latent, values] of shared) assert.ok(distance(values, single.get(latent)!) < 1e-2, latent);
  });

  it('thinks about any number of puzzles, and refuses to learn from what cannot be shared evenly', async () => {
    for (const seats of [1, 3]) {
      const asked = { ...request(config, seats, 0), weights: 'average' as const };
      const [single, shared] = [
        await one.inferStep(one.createState(seats), asked),
        await two.inferStep(two.createState(seats), asked),
      ];
      assert.equal(shared.predictions.length, single.predictions.length);
      shared.haltLogits.forEach((logit, seat) => assert.ok(Math.abs(logit - single.haltLogits[seat]!) < 1e-2));
    }
    await assert.rejects(
      two.trainStep(two.createState(3), request(config, 3, 0)),
      new InputError(
        'training step: expected a batch that 2 ranks share evenly (one a device), got 3; ' +
          'set training.batchSize to 2 or 4, or choose another number of --devices',
      ),
    );
  });
});

describe('torch engine on two nodes', function () {
  this.timeout(120_000);

  it('learns what one rank learns: the commands of docs/slurm.md, both nodes on this machine', async () => {
    const port = await freePort();
    const words = (rank: number): string =>
      `--nnodes=2 --node-rank=${rank} --master-addr=127.0.0.1 --master-port=${port}`;
    // The other node has no kit: its torchrun starts the worker by itself.
    const [program, ...args] = workerCommand({ devices: 1, torchrun: words(1) });
    const other = spawn(program, args, { stdio: 'ignore', env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' } });
    const over = new Promise((resolve) => other.once('exit', resolve));
    const make = (torchrun?: string): Promise<Engine> =>
      createTorchEngine(odd, { device: 'cpu', threads: 1, torchrun });
    const [one, two] = await Promise.all([make(), make(words(0))]);
    assert.equal(two.description, `${one.description} × 2`);
    const losses: Float64Array[] = [];
    for (const engine of [one, two]) {
      await engine.writeTensors('parameters', initialParameters(odd, new Random(1)));
      const state = engine.createState(4);
      losses.push((await engine.trainStep(state, request(odd, 4, 0))).answerLoss);
      await engine.update(update);
    }
    losses[0]!.forEach((loss, seat) => assert.ok(Math.abs(losses[1]![seat]! - loss) <= 1e-5 * loss));
    const [theirs, ours] = [await one.readTensors('parameters'), await two.readTensors('parameters')];
    // A step moves a weight by 1e-3 where its gradient is more than rounding.
    for (const [name, { data }] of ours) assert.ok(distance(data, theirs.get(name)!.data) < 1e-3, name);
    assert.equal(workers().length, 5); // two more are torchrun
    one.dispose();
    two.dispose();
    assert.equal(await over, 0);
    assert.deepEqual(await left(), []);
  });
});

/** A port that nothing listens on now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
