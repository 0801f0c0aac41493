/** The site's server gives the folder's own files and nothing else, on this computer only, and no address ends it. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';
import { projectRoot } from '../../lib/files.js';
import { newFolder } from '../new-folder.js';

interface Server {
  readonly address: string;
  close(): Promise<void>;
}

/** Asks for an address as it stands, which fetch would tidy. */
function ask(server: Server, address: string): Promise<{ readonly status: number; readonly bytes: number }> {
  return new Promise((resolve, reject) => {
    request(server.address, { path: address }, (response) => {
      let bytes = 0;
      response.on('data', (part: Buffer) => (bytes += part.length));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, bytes }));
    })
      .on('error', reject)
      .end();
  });
}

describe('the server of the site', () => {
  const folder = newFolder();
  const sent: [string, number][] = [];
  let server: Server;
  before(async () => {
    mkdirSync(path.join(folder, 'site', 'think'), { recursive: true });
    writeFileSync(path.join(folder, 'site', 'index.html'), 'the index');
    writeFileSync(path.join(folder, 'site', 'think', 'page.js'), 'x'.repeat(10_000));
    writeFileSync(path.join(folder, 'site', 'notes.txt'), 'of a kind that the site has not');
    writeFileSync(path.join(folder, 'secret.json'), '{}');
    const { serve } = (await import(path.join(projectRoot(), 'scripts', 'site', 'serve.mjs'))) as {
      serve(folder: string, port: number, onSent: (file: string, bytes: number) => void): Promise<Server>;
    };
    server = await serve(path.join(folder, 'site'), 0, (file, bytes) => sent.push([file, bytes]));
  });
  after(() => server.close());

  it('gives files, compressed, and tells what went over the wire', async () => {
    assert.equal((await ask(server, '/')).status, 200);
    const { status, bytes } = await ask(server, '/think/page.js?v=1');
    assert.equal(status, 200);
    assert.ok(bytes < 200, `expected ten thousand times the same letter to shrink, got ${bytes}`);
    assert.deepEqual(sent.at(-1), ['think/page.js', bytes]);
  });

  it('gives nothing beyond the folder, no folder, no other kind of file, and outlives what no path is', async () => {
    for (const address of [
      '/../secret.json',
      '/..%2fsecret.json',
      '/think/../../secret.json',
      '/think',
      '/think/',
      '/notes.txt',
      '/nothing.html',
      '/%ff',
      '/a%00.html',
      '//',
    ])
      assert.equal((await ask(server, address)).status, 404, address);
    assert.equal((await ask(server, '/index.html')).status, 200);
  });

  it('listens at 127.0.0.1', () => assert.equal(new URL(server.address).hostname, '127.0.0.1'));
});
