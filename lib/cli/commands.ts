/** The commands of trm-lab, in the order of the help. */
import type { Command } from './command.js';
import { ablate } from './ablate.js';
import { convert } from './convert.js';
import { dataCommand } from './data.js';
import { describeCommand } from './describe.js';
import { doctor } from './doctor.js';
import { evaluateCommand } from './evaluate.js';
import { failureModesCommand } from './failure-modes.js';
import { report } from './report.js';
import { reproduce } from './reproduce.js';
import { search } from './search.js';
import { solve } from './solve.js';
import { sweepCommand } from './sweep.js';
import { train } from './train.js';
import { verify } from './verify.js';
import { wider } from './wider.js';

export const commands: readonly Command[] = [
  doctor,
  reproduce,
  dataCommand,
  train,
  ablate,
  search,
  failureModesCommand,
  sweepCommand,
  evaluateCommand,
  wider,
  solve,
  describeCommand,
  convert,
  verify,
  report,
];
