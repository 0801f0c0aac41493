/** Lists the devices that the torch engine could use on this machine, for trm-lab doctor. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { torchPython, whyTorchMissing, workerFile } from './worker.js';

/** A GPU as PyTorch sees it. */
export interface TorchDevice {
  /** Its name for --device. */
  readonly device: string;
  readonly name: string;
  readonly bytes: number;
  /** Whether it multiplies bfloat16 in hardware. */
  readonly bf16: boolean;
}

/** PyTorch's version and GPUs, or a sentence why there is no PyTorch or it does not load. Takes seconds. */
export function torchDevices(): { readonly torch: string; readonly devices: readonly TorchDevice[] } | string {
  const missing = whyTorchMissing();
  if (missing !== undefined) return missing;
  const python = torchPython();
  const { status, stdout, stderr, error } = spawnSync(python, [path.join(path.dirname(workerFile), 'devices.py')], {
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  });
  if (status !== 0)
    return `${python} does not load it: ${error?.message ?? stderr.trim().split('\n').at(-1) ?? `exit code ${status}`}`;
  return JSON.parse(stdout) as { torch: string; devices: TorchDevice[] };
}
