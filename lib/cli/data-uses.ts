/** The uses of trm-lab data, by which its options know whether they are read. */
import type { Arguments } from './command.js';

export type DataUse = 'show' | 'check' | 'build sudoku' | 'build maze' | 'build arc1' | 'build arc2' | 'import' | 'get';

/** Why an option that is read in some uses only is not read in this one; undefined where it is. */
export function notFor(...uses: readonly DataUse[]): (args: Arguments) => string | undefined {
  return (args) => {
    const use = useOf(args);
    return uses.some((each) => each === use) ? undefined : `expected with ${uses.join(', ')} only, got ${use}`;
  };
}

function useOf({ positionals: [verb = '', what = ''] }: Arguments): string {
  return verb === 'build' ? `build ${what}` : verb;
}
