/** How many ranks there will be, and what is said where a batch does not divide. */
import assert from 'node:assert/strict';
import { checkEven, rankCount } from '../../../lib/engine/torch/ranks.js';
import { InputError } from '../../../lib/errors.js';

describe('ranks of the torch engine', () => {
  it('are the devices of every node', () => {
    assert.equal(rankCount({}), 1);
    assert.equal(rankCount({ devices: 4 }), 4);
    assert.equal(rankCount({ devices: 4, torchrun: '--nnodes=2 --node-rank=0 --master-addr=node0' }), 8);
    assert.equal(rankCount({ devices: 2, torchrun: ' --node_rank 1  --nnodes 3' }), 6);
  });

  it('are refused where torchrun would start another number', () => {
    assert.throws(
      () => rankCount({ torchrun: '--nnodes=1:4' }),
      new InputError('--torchrun: expected a fixed number of nodes, such as --nnodes=2, got --nnodes=1:4'),
    );
    assert.throws(
      () => rankCount({ torchrun: '--nproc_per_node=4' }),
      new InputError('--torchrun: expected no --nproc-per-node, got 4; say --devices 4'),
    );
  });

  it('share a batch evenly, or the nearest batches that they could share are named', () => {
    for (const [batch, ranks] of [
      [32, 1],
      [32, 2],
      [768, 8],
    ] as const)
      checkEven('run', batch, ranks);
    const refused = (batch: number, ranks: number): string => {
      try {
        checkEven('run', batch, ranks);
      } catch (error) {
        assert.ok(error instanceof InputError);
        return error.message;
      }
      return 'nothing';
    };
    assert.match(
      refused(32, 3),
      /^run: expected a batch that 3 ranks share .* got 32; set training\.batchSize to 30 or 33,/,
    );
    assert.match(refused(2, 8), /set training\.batchSize to 8, or/);
  });
});
