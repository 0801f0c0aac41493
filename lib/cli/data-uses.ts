/** The uses of trm-lab data, which decide which of its options are read. */
import type { Arguments } from './command.js';

export type DataUse = 'show' | 'check' | 'build sudoku' | 'build maze' | 'build arc1' | 'build arc2' | 'import' | 'get';

/** Why an option that only some uses read is ignored in this one; undefined if it is read. */
export function notFor(...uses: readonly DataUse[]): (args: Arguments) => string | undefined {
  return (args) => {
    const use = useOf(args);
    return uses.some((each) => each === use) ? undefined : `expected with ${uses.join(', ')} only, got ${use}`;
  };
}

function useOf({ positionals: [verb = '', what = ''] }: Arguments): string {
  return verb === 'build' ? `build ${what}` : verb;
}
