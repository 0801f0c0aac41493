/**
 * Makes @tensorflow/tfjs-node load: as it is, else by its own installer, else from a Python wheel; else WASM serves.
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import path from 'node:path';
import { CommandError, firstThatRuns, pythonCandidates, root, run, say } from './shell.mjs';
import { fingerprint } from './stamps.mjs';

const require = createRequire(import.meta.url);
const packageFolder = path.join(root, 'node_modules', '@tensorflow', 'tfjs-node');
const addon = path.join(packageFolder, 'lib', 'napi-v8', 'tfjs_binding.node');
const libraryFolder = path.join(packageFolder, 'deps', 'lib');
const wheelList = 'scripts/setup/tensorflow-wheel.txt';

export const tfjs = {
  name: 'tfjs',
  title: 'make TensorFlow (@tensorflow/tfjs-node) load',
  duration: 'about 1 minute and a download of 230 MB the first time on this computer',
  stamp: path.join(root, 'node_modules', '.trm-lab', 'tfjs.json'),
  fingerprint: () =>
    fingerprint(
      [wheelList, 'scripts/setup/tfjs.mjs', 'package-lock.json'],
      [process.platform, process.arch, process.versions.modules],
    ),
  isPresent: (stamp) => stamp.outcome !== 'ready' || (existsSync(addon) && libraryIsThere()),
  async work() {
    const reasons = [];
    for (const [name, attempt] of [
      ['as installed', asInstalled],
      ['installer', ownInstaller],
      ['wheel', fromWheel],
    ]) {
      const reason = await attempt();
      if (reason === undefined) return { outcome: 'ready', note: '' };
      reasons.push(reason);
      if (name === 'installer') say(`    ${reason}: using the library in TensorFlow's Python package`);
      if (name === 'wheel') say(`    ${reason}`);
    }
    return {
      outcome: 'fallback',
      note:
        `${reasons.slice(1).join('; ')}: tfjs runs on WebAssembly instead, which is several times slower. ` +
        'Fix the cause, then run: npm run setup',
    };
  },
};

// Each route returns undefined on success, else the reason in words.

async function asInstalled() {
  return existsSync(addon) ? loadFailure() : 'its addon is not built';
}

/** Runs the package's own installer, which needs a server that many networks do not reach. */
async function ownInstaller() {
  const server = installerServer();
  if (server === undefined) return 'its installer names no server';
  const proxied = Boolean(process.env.HTTPS_PROXY ?? process.env.https_proxy); // fetch below would not use the proxy
  if (!proxied && !(await answers(server))) return 'the server of its installer does not answer';
  try {
    await run('tfjs-installer', [process.execPath, path.join('scripts', 'install.js')], {
      cwd: packageFolder,
      timeoutSeconds: 900,
    });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return `its installer failed (${error.message.split('\n')[0]})`;
  }
  return loadFailure();
}

/** The installer's server, read from its source, so that this works with any installed version. */
function installerServer() {
  const source = readFileSync(path.join(packageFolder, 'scripts', 'install.js'), 'utf8');
  return (
    process.env.TFJS_NODE_BASE_URI ??
    process.env.TFJS_NODE_CDN_STORAGE ??
    /BASE_HOST = .*?'(https:[^']+)'/.exec(source)?.[1]
  );
}

async function answers(url) {
  try {
    await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(4000) }); // any status will do
    return true;
  } catch (error) {
    if (error instanceof TypeError || error.name === 'TimeoutError') return false; // fetch: no route, no name, refused
    throw error;
  }
}

/** Python's wheel of TensorFlow holds the same C library; the addon's source comes with the npm package. */
async function fromWheel() {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return `the Python package works on Linux x86-64 only, this is ${process.platform} ${process.arch}`;
  const python = firstThatRuns(pythonCandidates(), ['-m', 'pip', '--version']);
  if (python === undefined) return 'Python with pip was not found';
  if (firstThatRuns(['g++'], ['--version']) === undefined) return 'the C++ compiler g++ was not found';
  try {
    const unpacked = await unpackedWheel(python);
    linkLibraries(unpacked);
    await compileAddon(unpacked);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    say(error.message);
    return 'the wheel could not be fetched or built (.cache/logs/tfjs-*.log)';
  }
  return loadFailure();
}

/**
 * The wheel's library and headers in the cache of this user, shared by all checkouts; fetched and unpacked if missing.
 */
async function unpackedWheel(python) {
  const list = readFileSync(path.join(root, wheelList), 'utf8');
  const [, version, digest] = /==(\S+) --hash=sha256:(\w{12})/.exec(list);
  const cache =
    process.env.TRM_CACHE || path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'trm-lab');
  const folder = path.join(cache, `tensorflow-${version}-${digest}`);
  if (existsSync(folder)) return folder;

  const temporary = `${folder}.${process.pid}.tmp`;
  const clear = () => rmSync(temporary, { recursive: true, force: true });
  process.once('exit', clear); // a stopped set-up does not reach the end of this function
  mkdirSync(temporary, { recursive: true });
  try {
    say(`    fetching the TensorFlow ${version} wheel (230 MB) and unpacking it into ${folder} (650 MB)`);
    await run('tfjs-wheel', [
      python,
      '-m',
      'pip',
      'download',
      '--disable-pip-version-check',
      '--no-deps',
      '--only-binary=:all:',
      '--require-hashes',
      '--python-version',
      '311',
      '--implementation',
      'cp',
      '--platform',
      'manylinux_2_17_x86_64',
      '--platform',
      'manylinux2014_x86_64',
      '--dest',
      temporary,
      '--requirement',
      path.join(root, wheelList),
    ]);
    const wheel = path.join(
      temporary,
      readdirSync(temporary).find((name) => name.endsWith('.whl')),
    );
    await run('tfjs-unpack', [python, path.join(root, 'scripts', 'setup', 'unpack_wheel.py'), wheel, temporary]);
    rmSync(wheel);
    if (!existsSync(folder)) renameSync(temporary, folder); // another checkout may have been faster
  } finally {
    process.off('exit', clear);
    clear();
  }
  return folder;
}

/** Links the library under the names that the linker, the addon at run time, and the package's installer look for. */
function linkLibraries(unpacked) {
  rmSync(path.join(packageFolder, 'deps'), { recursive: true, force: true });
  mkdirSync(libraryFolder, { recursive: true });
  const api = path.join(unpacked, 'libtensorflow_cc.so.2');
  const framework = path.join(unpacked, 'libtensorflow_framework.so.2');
  for (const name of ['libtensorflow_cc.so.2', 'libtensorflow.so', 'libtensorflow.so.2', 'libtensorflow.so.2.9.1']) {
    symlinkSync(api, path.join(libraryFolder, name));
  }
  for (const name of ['libtensorflow_framework.so', 'libtensorflow_framework.so.2'])
    symlinkSync(framework, path.join(libraryFolder, name));
  symlinkSync(path.join(unpacked, 'include'), path.join(packageFolder, 'deps', 'include'));
}

async function compileAddon(unpacked) {
  const { version } = require('@tensorflow/tfjs-node/package.json');
  const cached = path.join(unpacked, `tfjs_binding-${version}.node`);
  if (!existsSync(cached)) {
    const temporary = `${cached}.${process.pid}.tmp`;
    const binding = path.join(packageFolder, 'binding');
    await run('tfjs-addon', [
      'g++',
      '-std=c++17',
      '-O2',
      '-shared',
      '-fPIC',
      '-DNAPI_VERSION=8',
      '-DNODE_GYP_MODULE_NAME=tfjs_binding',
      '-DBUILDING_NODE_EXTENSION',
      `-I${require('node-api-headers').include_dir}`,
      `-I${path.join(unpacked, 'include')}`,
      path.join(binding, 'tfjs_backend.cc'),
      path.join(binding, 'tfjs_binding.cc'),
      `-L${libraryFolder}`,
      '-ltensorflow',
      '-ltensorflow_framework',
      '-Wl,-rpath,$ORIGIN/../../deps/lib',
      '-o',
      temporary,
    ]);
    renameSync(temporary, cached);
  }
  mkdirSync(path.dirname(addon), { recursive: true });
  copyFileSync(cached, addon);
}

function libraryIsThere() {
  return existsSync(libraryFolder)
    ? readdirSync(libraryFolder).every((name) => existsSync(path.join(libraryFolder, name)))
    : process.platform === 'win32';
}

/** Loads the package in a process of its own (a bad library may crash it) and multiplies two matrices there. */
function loadFailure() {
  const program = `
    const util = require('node:util'); // gone from Node 23, still used by tfjs-node 4.22
    util.isNullOrUndefined ??= (value) => value === null || value === undefined;
    util.isArray ??= Array.isArray;
    const tf = require('@tensorflow/tfjs-node');
    const product = tf.matMul(tf.tensor2d([[1, 2], [3, 4]]), tf.tensor2d([[5, 6], [7, 8]])).dataSync();
    if (tf.getBackend() !== 'tensorflow') throw new Error('backend ' + tf.getBackend());
    if (product.join() !== '19,22,43,50') throw new Error('wrong product ' + product.join());`;
  const child = spawnSync(process.execPath, ['-e', program], {
    cwd: root,
    encoding: 'utf8',
    timeout: 120_000,
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' },
  });
  if (child.status === 0) return undefined;
  const message =
    child.stderr.split('\n').find((line) => /Error|error/.test(line)) ?? child.signal ?? `exit code ${child.status}`;
  return `it does not load (${message.trim().slice(0, 160)})`;
}
