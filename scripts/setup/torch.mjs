/** Makes .venv-torch: PyTorch for the torch engine. Only for those who ask for it: npm run setup -- torch. */
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { firstThatRuns, pythonCandidates, root, run, windows } from './shell.mjs';
import { fingerprint } from './stamps.mjs';

const folder = path.join(root, '.venv-torch');
const python = path.join(folder, windows ? 'Scripts' : 'bin', windows ? 'python.exe' : 'python');

export const torch = {
  name: 'torch',
  title: 'make .venv-torch with PyTorch',
  duration: 'about 2 minutes; on Linux x86 a download of 3 GB, because PyTorch includes CUDA there',
  stamp: path.join(folder, '.stamp.json'),
  fingerprint: () => fingerprint(['scripts/setup/torch-requirements.txt', 'scripts/setup/torch.mjs']),
  isPresent: () => existsSync(python),
  /** Throws where it cannot be done: unlike the other steps this one is asked for by name. */
  async work() {
    const base = firstThatRuns(pythonCandidates(), [
      '-c',
      'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))',
    ]);
    if (base === undefined)
      throw new Error(
        'torch: expected Python 3.11 or newer with its venv module, found none; install it, or name one in PYTHON',
      );
    rmSync(folder, { recursive: true, force: true });
    await run('torch-venv', [base, '-m', 'venv', folder]);
    const install = ['-m', 'pip', 'install', '--disable-pip-version-check', '--progress-bar', 'off', '--no-cache-dir'];
    await run('torch-packages', [python, ...install, '--requirement', 'scripts/setup/torch-requirements.txt']);
    await run('torch-import', [python, '-c', 'import torch; print(torch.__version__)']);
    return { outcome: 'ready', note: '' };
  },
};
