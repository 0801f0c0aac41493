/**
 * The part of trm-lab evaluate that is for ARC: versions vote, and their two best grids can be written as a submission.
 */
import type { ArcDataset } from '../data/arc-sets.js';
import type { Engine } from '../engine/engine.js';
import { writeFileAtomic } from '../write-file.js';
import { duration, Progress } from '../progress.js';
import { percentText } from '../report/tables.js';
import { ArcVotes, triesReported } from '../train/arc-votes.js';
import { voteArc, type ArcVoteOptions, type ArcVoteResult } from '../train/evaluate-arc.js';
import type { Out } from './command.js';

/** Lets the versions vote, prints pass@k, and writes the submission if a file is named. */
export async function voteAndReport(
  engine: Engine,
  dataset: ArcDataset,
  options: ArcVoteOptions,
  submission: string | undefined,
  out: Out,
): Promise<ArcVoteResult> {
  const progress = new Progress();
  const votes = new ArcVotes();
  const result = await voteArc(engine, dataset, {
    ...options,
    votes,
    onProgress: ({ done, total }) => progress.update('voting', 'versions of pairs', done, total),
  });
  out.line(
    `votes: ${result.votes} on ${result.pairs} test pairs of ${result.tasks} tasks, ${duration(result.seconds)}; ` +
      `${percentText(result.exactAccuracy)} of them right`,
  );
  out.line(passLine(result));
  if (submission !== undefined) {
    writeFileAtomic(submission, `${JSON.stringify(votes.submission(dataset.versions.entries))}\n`);
    out.line(`submission: ${submission}`);
  }
  return result;
}

/** "pass@1 12.5 %  pass@2 …": the share of tasks solved in k tries. */
export function passLine({ passAt }: ArcVoteResult): string {
  return triesReported.map((k) => `pass@${k} ${percentText(passAt[k])}`).join('  ');
}
