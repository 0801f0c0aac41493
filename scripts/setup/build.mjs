/** Compiles lib/ to dist/ and, for the tests, lib/ and test/ to build/. */
import { existsSync, lstatSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { CommandError, root, run, stateFolder, windows } from './shell.mjs';
import { fingerprint } from './stamps.mjs';

const require = createRequire(import.meta.url);

export const build = compileStep('build', 'compile lib/ to dist/', 'tsconfig.json', 'dist', ['lib']);
export const tests = compileStep('tests', 'compile lib/ and test/ to build/', 'test/tsconfig.json', 'build', [
  'lib',
  'test',
]);

function compileStep(name, title, project, output, sources) {
  return {
    name,
    title,
    duration: 'about 2 s',
    stamp: path.join(root, output, '.stamp.json'),
    fingerprint: () => fingerprint([...sources, 'tsconfig.json', project, 'package-lock.json']),
    isPresent: () =>
      existsSync(path.join(root, output, 'lib', 'index.js')) || existsSync(path.join(root, output, 'index.js')),
    async work() {
      const compiler = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
      preferOurCompiler(compiler);
      // Built in a fresh folder that then replaces the old one, so that no output of a deleted source survives. Readers
      // see the old folder, the new one or, for an instant, none, but never a part of one.
      const fresh = path.join(stateFolder, `${output}.${process.pid}`);
      try {
        await run(name, [process.execPath, compiler, '-p', project, '--outDir', fresh, '--pretty', 'false']);
        keepOthers(path.join(root, output), fresh);
        rmSync(path.join(root, output), { recursive: true, force: true });
        renameSync(fresh, path.join(root, output));
      } catch (error) {
        if (error instanceof CommandError) error.message = `type errors, nothing was replaced.\n${error.message}`;
        throw error;
      } finally {
        rmSync(fresh, { recursive: true, force: true });
      }
      return { outcome: 'ready', note: '' };
    },
  };
}

/** What else lies in build/, such as reports of a table and figures of notebooks, moves to the new folder. */
function keepOthers(old, fresh) {
  if (path.basename(old) !== 'build' || !existsSync(old)) return;
  for (const name of readdirSync(old))
    if (!existsSync(path.join(fresh, name))) renameSync(path.join(old, name), path.join(fresh, name));
}

/**
 * Makes `npx tsc` the project's compiler: tslab brings its own (TypeScript 5.0), also named `tsc`, and npm links
 * whichever it installs first.
 */
function preferOurCompiler(compiler) {
  const link = path.join(root, 'node_modules', '.bin', 'tsc');
  if (windows || !existsSync(link) || !lstatSync(link).isSymbolicLink()) return;
  const target = path.relative(path.dirname(link), compiler);
  if (readlinkSync(link) === target) return;
  rmSync(link);
  symlinkSync(target, link);
}
