/** Starts the project's own tslab as a Jupyter kernel: kernel.cjs CONNECTION_FILE. Needs no global install. */
const path = require('node:path');
const { briefly } = require('./cell-error.cjs');
require('./unwatched.cjs');
require('./in-turn.cjs');

// On an interrupt tslab gives up on the cell but cannot stop asynchronous work that already runs;
// lib/notebook/output.ts polls this counter and stops it.
globalThis.__interrupts = 0;
process.on('SIGINT', () => {
  globalThis.__interrupts += 1;
});

console.error = briefly(console.error.bind(console));

const tslab = path.resolve(__dirname, '..', '..', '..', 'node_modules', 'tslab', 'dist', 'main.js');
require(tslab).startKernel({ configPath: process.argv[2], enableFindLocal: false });
