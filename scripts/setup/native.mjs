/** Builds the native engine (a Rust crate) and puts its library where the engine's loader looks. */
import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { CommandError, firstThatRuns, root, run, say, windows } from './shell.mjs';
import { fingerprint } from './stamps.mjs';

const crate = 'lib/engine/native/crate';
const addon = path.join(root, 'lib/engine/native/trm_native.node');

export const native = {
  name: 'native',
  title: 'build the native engine',
  duration: 'about 1 minute',
  stamp: path.join(root, '.cache', 'native.json'),
  // Where an addon lies, it is of these sources or is removed: Rust is needed for other ones only.
  fingerprint: () => fingerprint([crate], [process.platform, process.arch, existsSync(addon) || hasCargo()]),
  isPresent: (stamp) => stamp.outcome !== 'ready' || whyUnusable() === undefined,
  async work() {
    const without = 'training uses TensorFlow instead, which is several times slower';
    const fallBack = (note) => {
      rmSync(addon, { force: true }); // of an older crate, it would be used
      return { outcome: 'fallback', note };
    };
    if (!existsSync(path.join(root, crate, 'Cargo.toml')))
      return fallBack(`this checkout has no native engine; ${without}.`);
    if (!hasCargo())
      return fallBack(`Rust (cargo) is not installed; ${without}. For full speed, install Rust and run: npm run setup`);
    try {
      await run('native', [
        'cargo',
        'build',
        '--release',
        '--locked',
        '--manifest-path',
        path.join(root, crate, 'Cargo.toml'),
        '--target-dir', // CARGO_TARGET_DIR may name another
        path.join(root, crate, 'target'),
      ]);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      say(error.message);
      return fallBack(`the native engine did not compile; ${without}. Fix the cause, then run: npm run setup`);
    }
    // Renamed into place: a process that has the old file loaded keeps it.
    const temporary = `${addon}.${process.pid}.tmp`;
    copyFileSync(path.join(root, crate, 'target', 'release', libraryName()), temporary);
    renameSync(temporary, addon);
    const reason = whyUnusable();
    if (reason === undefined) return { outcome: 'ready', note: '' };
    return {
      outcome: 'fallback',
      note:
        `the native engine compiled but does not load (${reason}); ${without}. ` +
        `For full speed, remove ${crate}/target and run: npm run setup`,
    };
  },
};

/**
 * Why the addon cannot be loaded, or undefined if it can. One that came with a copied project, from another machine,
 * lies there and is of no use.
 */
export function whyUnusable(file = addon) {
  if (!existsSync(file)) return 'the file is missing';
  try {
    createRequire(import.meta.url)(file);
    return undefined;
  } catch (error) {
    if (error.code !== 'ERR_DLOPEN_FAILED') throw error;
    return error.message.split('\n')[0];
  }
}

let cargo;
function hasCargo() {
  return (cargo ??= firstThatRuns(['cargo'], ['--version']) !== undefined);
}

function libraryName() {
  if (windows) return 'trm_native.dll';
  return process.platform === 'darwin' ? 'libtrm_native.dylib' : 'libtrm_native.so';
}
