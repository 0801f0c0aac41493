/** trm-lab doctor: what works on this machine, what does not, and what to do about it. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { mazeHardFiles } from '../data/maze-sets.js';
import { hasExtreme } from '../data/sudoku-sets.js';
import { dataFolders, findDataFile, kitCommand, projectRoot } from '../files.js';
import { nativeInfo, whyUnavailable } from '../engine/native/addon.js';
import { torchDevices } from '../engine/torch/devices.js';
import { plural } from '../words.js';
import type { Command } from './command.js';

/** One thing checked, and the result. */
interface Finding {
  readonly subject: string;
  readonly ok: boolean;
  /** What was found. */
  readonly found: string;
  /** What to do where it is not ok. */
  readonly remedy?: string;
}

export const doctor: Command = {
  name: 'doctor',
  summary: 'Check what works on this machine (engines, notebooks, data sets) and say how to fix the rest.',
  positionals: '',
  count: [0, 0],
  options: {},
  example: 'doctor',
  minutes: 'seconds',

  async run(_args, out) {
    const findings = [
      machine(),
      node(),
      nativeEngine(),
      await tfjsEngine(),
      torchEngine(),
      notebookServer(),
      ...dataSets(),
    ];
    for (const { subject, ok, found, remedy } of findings) {
      out.line(`${ok ? 'ok  ' : '–   '} ${subject.padEnd(16)} ${found}`);
      if (!ok && remedy !== undefined) out.line(`     ${''.padEnd(16)} ${remedy}`);
    }
    out.result(findings);
    return 0;
  },
};

function machine(): Finding {
  const cpus = os.cpus();
  return {
    subject: 'machine',
    ok: true,
    found:
      `${cpus.length} × ${cpus[0]?.model.trim() ?? 'unknown CPU'}, ${(os.totalmem() / 2 ** 30).toFixed(0)} GiB, ` +
      `${process.platform} ${process.arch}`,
  };
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const ok = (major === 20 && minor >= 19) || major > 22 || (major === 22 && minor >= 12);
  return {
    subject: 'Node.js',
    ok,
    found: process.version,
    remedy: 'install Node.js 20.19 or newer, or 22.12 or newer: notebooks need require() of ES modules',
  };
}

/** Of levels below the one whose times the pages state. */
const slower = '; the stated times are for avx512bf16: everything takes longer here, three to seven times with avx2';

function nativeEngine(): Finding {
  const missing = whyUnavailable();
  if (missing !== undefined) {
    const remedy =
      'several times faster than tfjs; ' +
      `${rustVersion() === undefined ? 'install Rust (rustup), then npm run setup' : 'npm run setup builds it'}`;
    return { subject: 'native engine', ok: false, found: missing, remedy };
  }
  const { level, levels, threads, peakGflops } = nativeInfo();
  return {
    subject: 'native engine',
    ok: true,
    found:
      `${level} (this CPU has ${levels.join(', ')}); matrix products reach ${peakGflops.toFixed(0)} GFLOP/s with ` +
      `${plural(threads, 'thread')}${level === 'amx' || level === 'avx512bf16' ? '' : slower}`,
  };
}

function rustVersion(): string | undefined {
  try {
    return execFileSync('cargo', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch (error) {
    if (error instanceof Error) return undefined; // not installed
    throw error;
  }
}

async function tfjsEngine(): Promise<Finding> {
  // loading takes a second, which other commands need not pay
  const { loadBackend } = await import('../engine/tfjs/backend.js');
  const backend = await loadBackend();
  return {
    subject: 'tfjs engine',
    ok: backend === 'tensorflow',
    found: `backend ${backend}`,
    remedy: 'slower than TensorFlow; npm run setup tries again to install it',
  };
}

/** Only --engine torch needs PyTorch, so its absence is no fault. */
function torchEngine(): Finding {
  const found = torchDevices();
  const subject = 'torch engine';
  if (typeof found === 'string') return { subject, ok: true, found: `not used: ${found}` };
  const gpus = found.devices.map(
    ({ device, name, bytes, bf16 }) => `${device} ${name}, ${(bytes / 2 ** 30).toFixed(0)} GiB${bf16 ? ', bf16' : ''}`,
  );
  return { subject, ok: true, found: `torch ${found.torch}: ${gpus.join('; ') || 'no GPU, so it would use the CPU'}` };
}

function notebookServer(): Finding {
  const venv = path.join(projectRoot(), '.venv');
  const ok = existsSync(path.join(venv, 'share', 'jupyter', 'kernels', 'tslab', 'kernel.json'));
  return {
    subject: 'JupyterLab',
    ok,
    found: ok ? 'installed in .venv with the TypeScript kernel' : 'not installed',
    remedy: 'npm run lab installs it on first use (Python 3.10 or newer)',
  };
}

function dataSets(): Finding[] {
  const sets: readonly (readonly [subject: string, name: string, ok: boolean])[] = [
    ['Sudoku-Extreme', 'sudoku-extreme', hasExtreme()],
    ['Maze-Hard', 'maze-hard', Object.values(mazeHardFiles).every((file) => findDataFile(file) !== undefined)],
  ];
  return sets.map(([subject, name, ok]) => {
    return {
      subject,
      ok,
      found: ok ? 'found' : `training and test sets are not both in ${dataFolders().join(', ')}`,
      remedy:
        `not shipped, as it states no licence: get it with ${kitCommand} data get ${name}, or set TRM_DATA to the ` +
        'folder that holds it',
    };
  });
}
