/** How to read the paper's tables with ours: printed below a single table, and once on a page of several. */

export const legend = {
  columns:
    '“Ours” is the mean ± standard deviation over seeds, and “± of puzzles” the standard error of counting so few. ' +
    'A halting head that always gave the commoner answer would be right in the share solved (on ARC, of test pairs), ' +
    'or in one minus it. “Seconds” are of one training, on a machine that did other work too; “TFLOP” are those of ' +
    'its networks. “Cycles” are supervision steps that a training puzzle got. A row that solves under 2 % of its ' +
    'puzzles, or has cells right by chance, did not learn. ' +
    'Our numbers stand beside the paper’s, not against them: boards and sizes differ.',
  orderings:
    'A difference is that of two rows, seed by seed, in percentage points. p is two-sided, by a paired t-test, ' +
    'corrected after Holm. Under 0.05 an ordering is confirmed or contradicted. Else it is not resolved: it may be ' +
    'true or false. Where the paper’s difference is smaller than half the width of our interval, the seeds are too ' +
    'few to see it: the verdict is then “limits only”, whatever p is. An ordering is not decided where a row did ' +
    'not learn, and not complete while runs of the table’s plan are missing. The interval is not corrected, so it ' +
    'may leave out 0 where the verdict is “not resolved”.',
  rawWeights:
    'These are the scores of the weights as trained, in both rows of a difference. A row that has no average scores ' +
    'the same either way. The plan has the averaged weights. ' +
    'This was looked at afterwards, so it judges nothing.',
} as const;
