/** Ways of thinking as rows of a table, and a search in words. */
import { anyObject, checkCounts, checkValue, objectOf, whole } from '../fields.js';
import type { Evaluation } from '../train/evaluate.js';
import type { UntilSure } from '../train/until-sure.js';
import { plural } from '../words.js';
import { shares } from './checks.js';
import { percentText } from './tables.js';

/** One way of thinking in a table: its accuracy and its cost. */
export type ThinkingRow = Readonly<{
  thinking: string;
  'puzzles solved': string;
  'supervision steps a puzzle': string;
}>;

/** An evaluation as a row; `answers` is how many votes or chains thought about each puzzle. */
export function thinkingRow(thinking: string, evaluation: Evaluation, answers = 1): ThinkingRow {
  checkCounts({ answers });
  checkValue(
    'evaluation',
    evaluation,
    objectOf({ exactAccuracy: shares, puzzles: whole(1), supervisionSteps: whole(1) }),
  );
  const { exactAccuracy, puzzles, supervisionSteps, meanSteps = supervisionSteps } = evaluation;
  const solved = exactAccuracy.at(-1) ?? NaN;
  return {
    thinking,
    'puzzles solved': `${percentText(solved)} of ${puzzles.toLocaleString('en')}`,
    'supervision steps a puzzle': `${answers === 1 ? '' : `${answers} × `}${Number(meanSteps.toFixed(2))}`,
  };
}

/** The result of a search in short lines: puzzles solved, cost, and how reliable the halting head was. */
export function untilSureText(search: UntilSure): string {
  checkValue(
    'search',
    search,
    objectOf({ puzzles: whole(1), mostForms: whole(1), solved: whole(0), passes: anyObject }),
  );
  const { puzzles, mostForms, supervisionSteps, haltAbove, solved, sure, falseStops, headPrecision, passes } = search;
  const many = (count: number): string => count.toLocaleString('en', { maximumFractionDigits: 1 });
  const { alternative, chains } = search;
  return [
    'search at test time, not comparable with a single pass:',
    `up to ${plural(mostForms, 'form')} of ${chains === 1 ? '' : `${plural(chains, 'chain')} of `}` +
      `${plural(supervisionSteps, 'pass')}, ` +
      `until a halting logit is above ${haltAbove}`,
    `solved ${many(solved)} of ${many(puzzles)} (${percentText(solved / puzzles)})` +
      (alternative === undefined ? '' : `; ${alternative.name}: ${many(alternative.solved)}`),
    `sure of ${many(sure)}` +
      (headPrecision === null
        ? ''
        : `, ${many(falseStops)} of them ${alternative === undefined ? 'wrong' : 'with another answer'}: ` +
          `the head was right in ${percentText(headPrecision)}`) +
      (alternative === undefined ? '' : `; without a ${alternative.name}: ${many(alternative.falseStops)}`) +
      `; never sure of ${many(search.neverSure)}, whose surest answer solved ${many(search.neverSureSolved)}`,
    `passes a puzzle: ${many(passes.mean)} on average, median ${many(passes.median)}, at most ${many(passes.largest)}`,
  ].join('\n');
}
