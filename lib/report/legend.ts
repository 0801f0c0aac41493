/** How to read the paper's tables with ours: printed below a single table, and once on a page of several. */

export const legend = {
  columns:
    '“Ours” is the mean ± standard deviation over seeds. “Sampling error” is the standard error of one score on so ' +
    'many puzzles, in percentage points. A halting head that always gave the more common verdict would be right for ' +
    'the share solved (on ARC, of test pairs) or for one minus that share, whichever is larger. “Seconds” are for ' +
    'one training run, on a machine that also did other work; they compare only on one processor. “TFLOP” count its ' +
    'networks. “Cycles” are the ' +
    'supervision steps that a training puzzle got. A row that solves under 2 % of its puzzles, or gets hardly ' +
    'more cells right than chance, did not learn. Our numbers are not comparable with the paper’s: our models are ' +
    'smaller and trained for less, most of them on other puzzles.',
  orderings:
    'A difference compares two rows, paired by seed, in percentage points. p is from a two-sided paired t-test with ' +
    'Holm’s correction. Below 0.05, an ordering is confirmed or contradicted. Otherwise it is not resolved: it may ' +
    'be true or false. If the paper’s difference is smaller than half the width of our interval, the seeds are too ' +
    'few to measure one of that size: the verdict is then “limits only”, whatever p is. An ordering is not decided ' +
    'if a row did not learn, and not complete while runs of the table’s plan are missing. The interval is not ' +
    'corrected, so it may exclude 0 although the verdict is “not resolved”.',
  rawWeights:
    'Both rows of a difference are scored with the weights as trained, not with their moving average. A row that has ' +
    'no average scores the same either way. The plan uses the averaged weights. This comparison was added ' +
    'afterwards, so it gives no verdicts.',
} as const;
