/**
 * Makes .venv: JupyterLab, the renderer of plotly figures, and kernelspecs for TypeScript, tslab's and Deno's,
 * that need no environment variable.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CommandError, firstThatRuns, pythonCandidates, root, run, say, windows } from './shell.mjs';
import { fingerprint } from './stamps.mjs';

const folder = path.join(root, '.venv');
const programs = path.join(folder, windows ? 'Scripts' : 'bin');
const denoFolder = path.join(root, 'node_modules', 'deno');
const deno = path.join(denoFolder, windows ? 'deno.exe' : 'deno');
const kernels = path.join(folder, 'share', 'jupyter', 'kernels');
const python = path.join(programs, windows ? 'python.exe' : 'python');

/** The jupyter program of .venv. */
export const jupyter = path.join(programs, windows ? 'jupyter.exe' : 'jupyter');

export const lab = {
  name: 'lab',
  title: 'make .venv with JupyterLab and its two TypeScript kernels',
  duration: 'about 1 minute and a download of 60 MB',
  stamp: path.join(folder, '.stamp.json'),
  // The kernelspec holds absolute paths: a moved project or another Node needs a new one.
  fingerprint: () =>
    fingerprint(
      [
        'scripts/setup/requirements.txt',
        'scripts/setup/constraints.txt',
        'scripts/setup/tslab',
        'scripts/setup/lab.mjs',
      ],
      [root, process.execPath],
    ),
  // npm ci removes the program of the Deno kernel, which only this step installs.
  isPresent: () => [jupyter, python].every(existsSync) && (existsSync(deno) || !existsSync(path.join(kernels, 'deno'))),
  async work() {
    const base = firstThatRuns(pythonCandidates(), [
      '-c',
      'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))',
    ]);
    if (base === undefined) {
      return {
        outcome: 'fallback',
        note:
          'Python 3.10 or newer with its venv module was not found (Debian: apt install python3-venv), ' +
          'so JupyterLab is not installed. Everything except `npm run lab` works without it.',
      };
    }
    try {
      rmSync(folder, { recursive: true, force: true });
      await run('lab-venv', [base, '-m', 'venv', folder]);
      // Without this, Node reads the CommonJS files that Jupyter keeps in .venv as ES modules, like the project's own.
      writeFileSync(path.join(folder, 'package.json'), '{"type":"commonjs"}\n');
      await installRequirements();
      await writeKernelspecs();
      writeSettings();
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      say(error.message);
      return {
        outcome: 'fallback',
        note:
          'JupyterLab could not be installed (see above). Everything except `npm run lab` works without it. ' +
          'Fix the cause, then run: npm run setup',
      };
    }
    return { outcome: 'ready', note: '' };
  },
};

async function installRequirements() {
  const install = [
    python,
    '-m',
    'pip',
    'install',
    '--disable-pip-version-check',
    '--progress-bar',
    'off',
    '--requirement',
    'scripts/setup/requirements.txt',
  ];
  try {
    await run('lab-packages', [...install, '--constraint', 'scripts/setup/constraints.txt']);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    say('    not all exact versions in constraints.txt install on this Python; using the newest that do');
    await run('lab-packages', install);
  }
}

async function writeKernelspecs() {
  const tslab = [process.execPath, path.join(root, 'scripts', 'setup', 'tslab', 'kernel.cjs'), '{connection_file}'];
  writeKernelspec('tslab', 'TypeScript (tslab)', tslab);
  try {
    await run('lab-deno', [process.execPath, path.join(denoFolder, 'bin.cjs'), '--version']); // installs the program
    writeKernelspec('deno', 'TypeScript (Deno)', [deno, 'jupyter', '--kernel', '--conn', '{connection_file}']);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    say('    Deno does not run here, so its kernel is left out; notebooks use tslab');
  }
}

function writeKernelspec(name, title, argv) {
  const target = path.join(kernels, name);
  mkdirSync(target, { recursive: true });
  const spec = { argv, display_name: title, language: 'typescript' };
  writeFileSync(path.join(target, 'kernel.json'), `${JSON.stringify(spec, null, 2)}\n`);
}

/**
 * JupyterLab asks for news and updates of itself unless told not to;
 * a reader who follows two commands is asked nothing.
 */
function writeSettings() {
  const target = path.join(folder, 'share', 'jupyter', 'lab', 'settings');
  mkdirSync(target, { recursive: true });
  const settings = { '@jupyterlab/apputils-extension:notification': { fetchNews: 'false', checkForUpdates: false } };
  writeFileSync(path.join(target, 'overrides.json'), `${JSON.stringify(settings, null, 2)}\n`);
}
