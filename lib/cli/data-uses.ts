/** The uses of trm-lab data, by which its options know whether they are read. */
import type { Arguments } from './command.js';

export type DataUse =
  | 'show'
  | 'check'
  | 'check arc'
  | 'build sudoku'
  | 'build maze'
  | 'build arc1'
  | 'build arc2'
  | 'import'
  | 'get';

/** Why an option that is read in some uses only is not read in this one; undefined where it is. */
export function notFor(...uses: readonly DataUse[]): (args: Arguments) => string | undefined {
  return (args) => {
    const use = useOf(args);
    return uses.some((each) => each === use) ? undefined : `expected with ${uses.join(', ')} only, got ${use}`;
  };
}

/** Whether a file is checked as one of ARC tasks. */
export function isArcFile(name: string): boolean {
  return /\.json(\.gz)?$/.test(name);
}

function useOf({ positionals: [verb = '', what = ''] }: Arguments): string {
  if (verb === 'check') return isArcFile(what) ? 'check arc' : 'check';
  return verb === 'build' ? `build ${what}` : verb;
}
