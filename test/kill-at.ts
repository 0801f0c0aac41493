/**
 * Node's arguments for a program that is killed as by kill -9 when it is about to rename its `nth` file: at the same
 * place of its work however fast the machine is. `whom`: the process alone, or all of its group.
 */
export function killedAtRename(nth: number, whom: 'process' | 'group' = 'process'): readonly string[] {
  const program = `
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const { renameSync } = fs;
    let left = ${nth};
    fs.renameSync = (...paths) => {
      if (--left === 0) process.kill(${whom === 'group' ? '0' : 'process.pid'}, 'SIGKILL');
      renameSync(...paths);
    };
    syncBuiltinESMExports();`;
  return ['--import', `data:text/javascript,${encodeURIComponent(program)}`];
}
