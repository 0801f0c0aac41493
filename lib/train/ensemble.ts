/** One answer out of several: the surest by the halting head, or the one most often given. */

/** What one chain of thought answers. */
export interface Answer {
  /** The board, token ids, [L]. */
  readonly tokens: Int32Array;
  /** How sure the halting head is that it is right; 0 is even odds. */
  readonly haltLogit: number;
}

/** The answer with the highest halting logit, the first of them on a tie. Expects at least one. */
export function surest(answers: readonly Answer[]): Answer {
  return answers.reduce((best, answer) => (answer.haltLogit > best.haltLogit ? answer : best));
}

/**
 * A majority vote over whole boards: the one given most often, as its surest voter gives it.
 * Among boards with as many votes the surest wins, so where all disagree the halting head alone decides.
 * Expects at least one answer.
 */
export function vote(answers: readonly Answer[]): Answer {
  const parties = new Map<string, Answer[]>();
  for (const answer of answers) {
    const board = answer.tokens.join();
    const party = parties.get(board);
    if (party === undefined) parties.set(board, [answer]);
    else party.push(answer);
  }
  const most = Math.max(...[...parties.values()].map(({ length }) => length));
  return surest([...parties.values()].filter(({ length }) => length === most).map(surest));
}
