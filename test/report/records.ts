/** Hand-made run records for the tests of tables and figures. */
import type { Experiment } from '../../lib/experiment/experiment.js';
import { recordSchema, type RunRecord } from '../../lib/experiment/record.js';
import { paperConfig } from '../../lib/model/config.js';
import { paperTraining } from '../../lib/train/options.js';

/** A record of an experiment with a seed, 300 puzzles scored. */
export function recordOf(experiment: Experiment, seed: number, exactAccuracy: readonly number[]): RunRecord {
  return { ...record({ seed, exactAccuracy }), id: `${experiment.name}-seed${seed}`, experiment };
}

interface Parts {
  readonly name?: string;
  readonly variant?: string;
  readonly scale?: Experiment['scale'];
  readonly side?: 4 | 6 | 9;
  readonly source?: 'generated' | 'public-domain' | 'sudoku-extreme';
  readonly seed?: number;
  readonly exactAccuracy: readonly number[];
}

/** A record of a 4×4 run, 300 puzzles scored, unless said otherwise. */
export function record({
  name = 'sudoku-4x4',
  variant,
  scale = 'laptop',
  side = 4,
  source = 'generated',
  seed = 0,
  exactAccuracy,
}: Parts): RunRecord {
  const evaluation = {
    step: 600,
    puzzles: 300,
    supervisionSteps: exactAccuracy.length,
    exactAccuracy,
    cellAccuracy: exactAccuracy,
    haltingAccuracy: exactAccuracy,
    seconds: 1,
  };
  const summary = {
    name: source === 'generated' ? `${side}×${side} generated` : source,
    sha256: source,
    examples: 300,
  };
  return {
    schema: recordSchema,
    id: `${name}-seed${seed}`,
    experiment: {
      name,
      about: '',
      scale,
      base: name,
      variant: variant ?? null,
      failureMode: null,
      model: paperConfig,
      training: paperTraining,
      evaluation: { split: 'test', every: 0, puzzles: 100, finalPuzzles: 0, closing: [] },
      task: {
        kind: 'sudoku',
        side,
        source,
        trainPuzzles: 300,
        testPuzzles: 300,
        validationPuzzles: 0,
        augmentations: 1000,
        minDifficulty: 0,
        seed: 0,
      },
    },
    seed,
    data: { train: summary, test: summary },
    model: { parameters: 1, depth: 42, forwardPasses: 1 },
    sittings: [
      {
        from: 0,
        to: 600,
        version: '0',
        commit: null,
        node: 'v20',
        platform: 'linux x64',
        cpu: 'one',
        cores: 1,
        engine: 'native',
        threads: 1,
        precision: 'float32',
        finishedAt: '2026-01-01T00:00:00.000Z',
      },
    ],
    steps: 600,
    seconds: { training: 10, evaluation: 1 },
    peakMemory: 1,
    curve: [],
    evaluations: [evaluation],
    closing: {},
  };
}
