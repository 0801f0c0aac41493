/**
 * Keeps tslab's compiler from watching the project: two changes at once, as a build makes them, end in an error of its
 * own in the middle of a cell (converter.js: "Unexpected pending rebuildTimer"), and Node reads no module twice anyway.
 * To be required before tslab.
 */
const path = require('node:path');

const tslab = path.dirname(require.resolve('tslab/package.json'));
const { sys } = require(require.resolve('@tslab/typescript-for-tslab', { paths: [tslab] }));
const unwatched = () => ({ close: () => {} });
sys.watchFile = unwatched;
sys.watchDirectory = unwatched;
