/**
 * What is installed is exactly what was tested, from whatever registry the user has;
 * and the kernel starts from any folder.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../../lib/files.js';

const root = projectRoot();
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

interface Manifest {
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
}
interface Lock {
  readonly packages: Record<
    string,
    { readonly version?: string; readonly resolved?: string; readonly integrity?: string }
  >;
}

describe('package', () => {
  const manifest = JSON.parse(read('package.json')) as Manifest;
  const lock = JSON.parse(read('package-lock.json')) as Lock;

  it('every dependency has one exact version', () => {
    const ranges = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
      ([, version]) => !/^\d+\.\d+\.\d+$/.test(version),
    );
    assert.deepEqual(ranges, []);
  });

  it('the lock file names no registry and has a hash of every package', () => {
    const installed = Object.entries(lock.packages).filter(([folder]) => folder !== '');
    assert.ok(installed.length > 100);
    for (const [folder, entry] of installed) {
      assert.equal(entry.resolved, undefined, folder);
      assert.match(entry.integrity ?? '', /^sha512-/, folder);
    }
  });

  it("danfojs uses the project's tfjs-node and the mended xlsx", () => {
    assert.deepEqual(
      Object.keys(lock.packages).filter((folder) => folder.endsWith('/tfjs-node')),
      ['node_modules/@tensorflow/tfjs-node'],
    );
    assert.equal(lock.packages['node_modules/xlsx']?.version, '0.20.3');
  });

  it('every Python package has one exact version', () => {
    const lines = [
      ...read('scripts/setup/requirements.txt').split('\n'),
      ...read('scripts/setup/constraints.txt').split('\n'),
      ...read('scripts/setup/torch-requirements.txt').split('\n'),
    ].filter((line) => line !== '' && !line.startsWith('#'));
    assert.ok(lines.length > 50);
    for (const line of lines) assert.match(line, /^[\w.-]+==[\w.]+$/);
  });
});

describe('dependencies with advisories', () => {
  it('are nowhere in the lock file (docs/security.md)', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { name?: string; version?: string }>;
    };
    const versions = (name: string): string[] =>
      Object.entries(packages)
        .filter(([place, found]) => place.endsWith(`node_modules/${name}`) && (found.name ?? name) === name)
        .map(([, { version = '' }]) => version);
    const below = (version: string, least: string): boolean =>
      version.localeCompare(least, 'en', { numeric: true }) < 0;
    assert.deepEqual(versions('request'), []);
    for (const [name, least] of [
      ['tar', '7.5.3'],
      ['form-data', '4.0.4'],
      ['tough-cookie', '4.1.3'],
      ['xlsx', '0.20.2'],
    ] as const)
      assert.deepEqual(
        versions(name).filter((version) => below(version, least)),
        [],
        name,
      );
    assert.ok(versions('tar').length > 0 && versions('tough-cookie').length > 0, 'looked at nothing');
  });
});

describe('kernel', () => {
  it("starts the project's tslab from another folder, and counts interrupts instead of dying of them", () => {
    const program = `
      const tslab = require.resolve(${JSON.stringify(path.join(root, 'node_modules', 'tslab', 'dist', 'main.js'))});
      require.cache[tslab] = { exports: { startKernel(options) {
        process.kill(process.pid, 'SIGINT');
        setTimeout(() => {
          console.log(JSON.stringify({ options, interrupts: globalThis.__interrupts }));
          process.exit(0);
        }, 100);
      } } };
      process.argv[2] = 'connection.json';
      require(${JSON.stringify(path.join(root, 'scripts', 'setup', 'tslab', 'kernel.cjs'))});`;
    const child = spawnSync(process.execPath, ['-e', program, '--', 'unused'], {
      cwd: path.parse(root).root,
      encoding: 'utf8',
    });
    assert.equal(child.status, 0, child.stderr);
    assert.deepEqual(JSON.parse(child.stdout), {
      options: { configPath: 'connection.json', enableFindLocal: false },
      interrupts: 1,
    });
  });
});
