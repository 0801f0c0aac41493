/** The part of trm-lab solve that searches: a puzzle in form after form, until the model is sure of an answer. */
import type { Puzzle } from '../data/puzzle.js';
import { sudokuForms } from '../data/relabelling.js';
import { geometryOfCells } from '../data/sudoku.js';
import type { Engine } from '../engine/engine.js';
import { sigmoid } from '../engine/losses.js';
import { given } from '../fields.js';
import { Random } from '../random.js';
import { percentText } from '../report/tables.js';
import { searchForms } from '../train/search.js';
import type { Thinking } from '../train/seats.js';
import { flag, number, seedOf, seedOption, unreadWhere, type Arguments, type Option, type Out } from './command.js';
import { formsOption, mostFormsOf } from './until-sure-options.js';
import { plural } from '../words.js';

export const searchOptions: Readonly<Record<string, Option>> = {
  'until-sure': {
    about:
      'search: think about the puzzle in form after form (digits renamed, lines moved) until the model is sure, and ' +
      'say so where it is not (docs/thinking-wider.md)',
  },
  ...unreadWhere((args) => (flag(args, 'until-sure') ? undefined : 'expected --until-sure with it'), {
    forms: formsOption,
    'halt-above': {
      value: 'X',
      about: 'the halting logit above which it is sure, -1000 to 1000. Default 0: more likely right than wrong',
    },
    seed: seedOption('draws the forms'),
  }),
};

/** Searches, telling of every form that gave a surer answer, and of how it ended; the last thought. */
export async function solveUntilSure(
  engine: Engine,
  { question }: Puzzle,
  supervisionSteps: number | undefined,
  args: Arguments,
  out: Out,
): Promise<Thinking> {
  const geometry = geometryOfCells(question.length);
  if (geometry === undefined) throw new Error('a Sudoku of no known size');
  let last: Thinking | undefined;
  let told = -1;
  for await (const thinking of searchForms(engine, question, {
    forms: sudokuForms(geometry),
    mostForms: mostFormsOf(args),
    haltAbove: number(args, 'halt-above', -1000, 1000) ?? 0,
    random: new Random(seedOf(args)),
    ...given({ supervisionSteps }),
  })) {
    last = thinking;
    if (thinking.form !== told)
      out.line(
        `form ${thinking.form + 1}${thinking.form === 0 ? ', as it stands' : ''}: an answer that is ` +
          `${percentText(sigmoid(thinking.surest.haltLogit))} sure, after ${plural(thinking.passes, 'pass')}`,
      );
    told = thinking.form;
  }
  if (last === undefined) throw new Error('a search without a step');
  const { sure, forms, passes, surest } = last;
  const cost = `${plural(forms, 'form')} and ${plural(passes, 'pass')}`;
  const sureness = percentText(sigmoid(surest.haltLogit));
  out.line(
    sure
      ? `sure after ${cost}: ${sureness}`
      : `unsure: ${cost} gave no answer that the model is sure of; this one, its surest with ${sureness}, is a guess`,
  );
  return last;
}
