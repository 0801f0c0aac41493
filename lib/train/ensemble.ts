/** One answer out of several: the surest by the halting head, or the one most often given. */

/** The answer of one chain of thought. */
export interface Answer {
  /** The board, token ids, [L]. */
  readonly tokens: Int32Array;
  /** The halting head's logit that the board is right; 0 is even odds. */
  readonly haltLogit: number;
}

/** The answer with the highest halting logit, the first of them on a tie. Expects at least one. */
export function surest(answers: readonly Answer[]): Answer {
  return answers.reduce((best, answer) => (answer.haltLogit > best.haltLogit ? answer : best));
}

/**
 * A majority vote over whole boards: the board given most often, as its surest voter gave it. Among boards with equal
 * votes the surest wins, so if all answers differ the halting head decides alone. Expects at least one answer.
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
