/**
 * Starts JupyterLab with the TypeScript kernel on this computer only:
 * node scripts/lab.mjs [arguments of jupyter lab].
 */
import { spawn } from 'node:child_process';
import { setUp } from './setup.mjs';
import { jupyter } from './setup/lab.mjs';
import { root, say } from './setup/shell.mjs';

try {
  await setUp(['build', 'tfjs', 'native']);
  if (!(await setUp(['lab'], { again: true })))
    throw new Error('there is no JupyterLab to start; see the reason above');
} catch (error) {
  console.error(`set-up failed: ${error.message}`);
  process.exit(1);
}
say(
  'Starting JupyterLab with the first notebook. Open the address it prints, then Run > Run All Cells; ' +
    'stop it with Ctrl-C twice.',
);
// The first thing a reader sees is the first notebook, not a list of files.
const first = '--LabApp.default_url=/lab/tree/notebooks/1-how-it-thinks.ipynb';
const asRoot = process.getuid?.() === 0 ? ['--allow-root'] : []; // in a container; only this computer can connect
const server = spawn(
  jupyter,
  ['lab', '--ip=127.0.0.1', `--ServerApp.root_dir=${root}`, first, ...asRoot, ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
);
process.on('SIGINT', () => {}); // a Ctrl-C reaches JupyterLab too, which asks before it ends
process.on('SIGTERM', () => server.kill('SIGTERM'));
server.on('exit', (code) => process.exit(code ?? 1));
