/** trm-lab solve: thinks about a puzzle of yours and shows the board after every supervision step. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { boardOfTokens, boardText, findClash, geometryOfCells, parseBoard, sudokuGeometry, tokensOfBoard } from '../data/sudoku.js';
import { onlySolution } from '../data/sudoku-solver.js';
import { InputError } from '../errors.js';
import { openModel } from '../experiment/open.js';
import { projectRoot } from '../files.js';
import { think } from '../train/evaluate.js';
import { integer, text, type Command } from './command.js';
import { engineOptions, readEngineOptions } from './engine-options.js';
import { percent } from './train.js';

export const solve: Command = {
  name: 'solve',
  summary: 'Think about a Sudoku of yours: the board after every supervision step, what changed, how sure the model is.',
  positionals: '<puzzle>',
  count: [1, 1],
  options: {
    checkpoint: { type: 'string', value: 'FILE', about: 'a model for boards of this size. Default the shipped one' },
    steps: { type: 'string', value: 'N', about: "supervision steps, 1 to 4096. Default the model's" },
    ...engineOptions,
  },
  example: 'trm-lab solve 1..4.....2......',
  minutes: 'a second',

  async run(args, out) {
    const question = parseBoard(args.positionals[0] ?? '');
    const { side } = geometryOfCells(question.length) ?? sudokuGeometry(9);
    const geometry = sudokuGeometry(side);
    const solution = onlySolution(question, geometry);
    const file = text(args, 'checkpoint') ?? shippedCheckpoint(side);
    const { engine, config, notes } = await openModel(file, readEngineOptions(args));
    for (const note of notes) out.note(note);
    try {
      if (config.sequenceLength !== question.length || config.vocabSize !== side + 2) {
        throw new InputError(`expected a model for ${side}×${side} boards (${question.length} cells), got one for ${config.sequenceLength} cells; choose another --checkpoint`);
      }
      const steps = integer(args, 'steps', 1, 4096);
      const thoughts = await think(engine, Int32Array.from(tokensOfBoard(question)), steps === undefined ? {} : { supervisionSteps: steps });
      out.line(`puzzle ${boardText(question)}`);
      let before = question;
      for (const { step, prediction, haltProbability } of thoughts) {
        const board = boardOfTokens(prediction);
        const changed = board.reduce((count, digit, cell) => count + (digit === before[cell] ? 0 : 1), 0);
        out.line(`${String(step).padStart(6)} ${boardText(board)}  ${String(changed).padStart(2)} changed, ${percent(haltProbability)} sure`);
        before = board;
      }
      const clash = findClash(before, geometry);
      const right = before.every((digit, cell) => digit === solution[cell]);
      out.line(right ? 'right: this is the only solution' : `wrong: the only solution is ${boardText(solution)}${clash === undefined ? '' : `; ${clash}`}`);
      out.result({ puzzle: boardText(question), solution: boardText(solution), right, legal: clash === undefined && !before.includes(0), steps: thoughts.map(({ step, prediction, haltProbability }) => ({ step, board: boardText(boardOfTokens(prediction)), haltProbability })) });
      return right ? 0 : 1;
    } finally {
      engine.dispose();
    }
  },
};

function shippedCheckpoint(side: number): string {
  const file = path.join(projectRoot(), 'data', 'checkpoints', `sudoku-${side}x${side}.safetensors`);
  if (!existsSync(file)) throw new InputError(`no model for ${side}×${side} boards is shipped: train one (trm-lab train --experiment sudoku-${side}x${side}) and name its model.safetensors with --checkpoint`);
  return file;
}
