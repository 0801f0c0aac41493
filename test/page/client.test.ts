/** The page's side of the worker, with a worker of our own: an engine that was replaced ends with its last job. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../../lib/files.js';
import { newFolder } from '../new-folder.js';

interface Job {
  next(): Promise<unknown>;
  stop(): Promise<void>;
}
interface Thinker {
  start(job: object): Promise<Job>;
  retire(): void;
}

/** Answers every request with its call's name, later. */
class FakeWorker {
  static ended = 0;
  #answer: (event: { readonly data: object }) => void = () => undefined;
  addEventListener(kind: string, listen: (event: { readonly data: object }) => void): void {
    if (kind === 'message') this.#answer = listen;
  }
  postMessage({ id, call }: { readonly id: number; readonly call: string }): void {
    setImmediate(() => this.#answer({ data: { id, value: call } }));
  }
  terminate(): void {
    FakeWorker.ended++;
  }
}

describe('an engine of the page', function () {
  this.timeout(60_000);
  let open: () => Promise<Thinker>;
  before(async () => {
    const { bundle } = (await import(path.join(projectRoot(), 'scripts', 'site', 'page.mjs'))) as {
      bundle: (folder: string, entries: Record<string, string>) => Promise<unknown>;
    };
    const folder = newFolder();
    await bundle(folder, { client: path.join(projectRoot(), 'lib', 'page', 'client.ts') });
    const { Thinker: Class } = (await import(pathToFileURL(path.join(folder, 'client.js')).href)) as {
      Thinker: { open(backend: string, script: URL): Promise<Thinker> };
    };
    open = () => Class.open('wasm', new URL('file:///worker.js'));
    Object.assign(globalThis, { Worker: FakeWorker });
  });
  beforeEach(() => void (FakeWorker.ended = 0));
  after(() => void Reflect.deleteProperty(globalThis, 'Worker'));

  it('that is replaced ends at once where it has nothing to do', async () => {
    (await open()).retire();
    assert.equal(FakeWorker.ended, 1);
  });

  it('that is replaced goes on with its jobs, and ends when the last is stopped', async () => {
    const thinker = await open();
    const jobs = [await thinker.start({ kind: 'many' }), await thinker.start({ kind: 'think' })] as const;
    thinker.retire();
    assert.equal(await jobs[0].next(), 'next');
    await jobs[1].stop();
    assert.equal(await jobs[0].next(), 'next');
    assert.equal(FakeWorker.ended, 0);
    await jobs[0].stop();
    assert.equal(FakeWorker.ended, 1);
  });
});
