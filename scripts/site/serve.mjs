/**
 * A web server for the site's files: on this computer only, nothing but the folder's own, compressed as hosts do it.
 */
import { createServer } from 'node:http';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.png': 'image/png',
  '.safetensors': 'application/octet-stream',
};

/**
 * Serves a folder at 127.0.0.1.
 * @param {string} folder
 * @param {number} [port] 0: any that is free
 * @param {(file: string, bytes: number) => void} [onSent] told of every file with the bytes that went over the wire
 * @returns {Promise<{address: string, close: () => Promise<void>}>}
 */
export async function serve(folder, port = 0, onSent = () => {}) {
  const base = path.resolve(folder);
  const server = createServer((request, response) => {
    const file = path.join(base, pathOf(request.url ?? '/'));
    const type = types[path.extname(file)];
    if (
      !file.startsWith(base + path.sep) ||
      type === undefined ||
      !statSync(file, { throwIfNoEntry: false })?.isFile()
    ) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('not found');
      return;
    }
    const content = gzipSync(readFileSync(file));
    response.writeHead(200, { 'content-type': type, 'content-encoding': 'gzip', 'content-length': content.length });
    response.end(request.method === 'HEAD' ? undefined : content);
    onSent(path.relative(base, file), content.length);
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${server.address().port}/`,
    close: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}

/** The path of a request, for a folder its index; a path of no file if the address is invalid. */
function pathOf(address) {
  try {
    const asked = decodeURIComponent(new URL(address, 'http://127.0.0.1').pathname);
    if (asked.includes('\0')) return '';
    return asked.endsWith('/') ? `${asked}index.html` : asked;
  } catch {
    return '';
  }
}
