/** The part of trm-lab solve that searches: one form of the puzzle after another, until the model is sure. */
import type { Puzzle } from '../data/puzzle.js';
import { sudokuForms } from '../data/relabelling.js';
import { geometryOfCells } from '../data/sudoku.js';
import type { Engine } from '../engine/engine.js';
import { sigmoid } from '../engine/losses.js';
import { given } from '../fields.js';
import { Random } from '../random.js';
import { percentText } from '../report/tables.js';
import { searchForms } from '../train/search.js';
import type { SeatsOptions, Thinking } from '../train/seats.js';
import { flag, numberOf, seedOf, seedOption, unreadWhere, type Arguments, type Option, type Out } from './command.js';
import { stoppable } from './stop.js';
import { Progress } from '../progress.js';
import { plural } from '../words.js';

/** The limit of a search; also an option of evaluate. */
export const formsOption: Option = {
  value: 'N',
  range: [1, 65_536],
  about: 'maximum number of forms to try for each puzzle. Default 128; all 8 for mazes',
};

/** Most forms of a puzzle. */
export function mostFormsOf(args: Arguments): number {
  return numberOf(args, 'forms') ?? 128;
}

export const searchOptions: Readonly<Record<string, Option>> = {
  'until-sure': {
    about:
      'search: try one form of the puzzle after another (digits renamed, lines moved) until the model is sure, and ' +
      'say so if it never is (docs/thinking-wider.md)',
  },
  ...unreadWhere((args) => (flag(args, 'until-sure') ? undefined : 'expected --until-sure with it'), {
    forms: { ...formsOption, about: 'maximum number of forms to try. Default 128' },
    'halt-above': {
      value: 'X',
      range: [-1000, 1000],
      fraction: true,
      about: 'the halting logit above which the model counts as sure. Default 0: more likely right than wrong',
    },
    seed: seedOption('seed of the forms'),
  }),
};

/** The requested search; undefined for none. */
export function readSearch(args: Arguments): Search | undefined {
  if (!flag(args, 'until-sure')) return undefined;
  return {
    mostForms: mostFormsOf(args),
    haltAbove: numberOf(args, 'halt-above') ?? 0,
    random: new Random(seedOf(args)),
  };
}

/** The limits of a search, and what draws its forms. */
export type Search = Required<Pick<SeatsOptions, 'mostForms' | 'haltAbove' | 'random'>>;

/**
 * Searches, and prints every form with a surer answer, and the result. Returns the last thought. Ctrl-C ends the search
 * with the surest answer so far.
 */
export async function solveUntilSure(
  engine: Engine,
  { question }: Puzzle,
  supervisionSteps: number | undefined,
  search: Search,
  out: Out,
): Promise<Thinking> {
  const geometry = geometryOfCells(question.length);
  if (geometry === undefined) throw new Error('a Sudoku of no known size');
  const progress = new Progress();
  const began = performance.now();
  let last: Thinking | undefined;
  let told = -1;
  const tell = ({ form, surest, passes }: Thinking): void => {
    if (form === told) return;
    told = form;
    out.line(
      `form ${form + 1}${form === 0 ? ', unchanged' : ''}: an answer, ` +
        `${percentText(sigmoid(surest.haltLogit))} sure, after ${plural(passes, 'pass')} in all`,
    );
  };
  const forms = sudokuForms(geometry);
  out.line(
    'searching forms of the puzzle (digits renamed, lines moved) until the model is over ' +
      `${percentText(sigmoid(search.haltAbove))} sure; one supervision step of one form is a pass`,
  );
  await stoppable(out, 'stopping after this step', async (shouldStop) => {
    const thoughts = searchForms(engine, question, { ...search, forms, ...given({ supervisionSteps }) });
    for await (const thinking of thoughts) {
      if (last !== undefined && thinking.forms > last.forms) tell(last);
      last = thinking;
      if (performance.now() - began > 2000)
        progress.update('searching', 'forms', thinking.forms - 1, search.mostForms, plural(thinking.passes, 'pass'));
      if (shouldStop()) break;
    }
  });
  if (last === undefined) throw new Error('a search without a step');
  tell(last);
  const { sure, surest } = last;
  const cost = `${plural(last.forms, 'form')} and ${plural(last.passes, 'pass')}`;
  const sureness = percentText(sigmoid(surest.haltLogit));
  out.line(
    sure
      ? `sure after ${cost}: ${sureness}`
      : `unsure: ${cost} gave no answer that the model is sure of; its surest one, with ${sureness}, is a guess`,
  );
  return last;
}
